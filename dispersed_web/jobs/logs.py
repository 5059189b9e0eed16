"""What a container wrote, made harmless: control sequences gone, known secrets masked, cut to its tail.

The bytes come from other people's machines. Cleaning and masking are pure; fetching goes through the client once for
all who watch.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.cache import cache
from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials import vault
from dispersed_web.credentials.clients import client_for
from dispersed_web.credentials.masking import MASK, SHAPES
from dispersed_web.dispersed import DispersedError
from dispersed_web.jobs import specs
from dispersed_web.jobs.models import Job, JobRun

TAIL_BYTES = 256 * 1024
TAIL_LINES = 2000
LINE_CHARS = 4000
KEPT_S = 3
SHORTEST_SECRET = 8
QUOTED_CHARS = 300

# CSI; then OSC, DCS, SOS, PM and APC with what they carry, up to their end or the end of the line; then all other escapes.
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# What turns or hides the text around it, line separators included.
_INVISIBLE = re.compile("[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Log:
    """The tail of one run's output. ``trouble`` is a sentence when it cannot be had now, ``retry_after_s`` the seconds
    that the cloud then asked to wait; ``is_cut`` says that there was more before it. Not ``is_given``: the cloud
    answered, and said nothing of a log."""

    text: str = ""
    trouble: str = ""
    is_cut: bool = False
    is_given: bool = True
    retry_after_s: float | None = None


def clean(raw: str) -> str:
    """``raw`` as plain lines: no escape sequence, no control character but newline and tab; of a line that was written
    over with carriage returns, as progress bars do, what was seen last; what is invisible is shown by its code."""
    text = _SEQUENCES.sub("", raw.replace("\r\n", "\n"))
    text = _CONTROLS.sub("", text)
    if "\r" in text:
        text = "\n".join(_last_written(line) for line in text.split("\n"))
    text = _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return _SURROGATES.sub("\ufffd", text)


def _last_written(line: str) -> str:
    return next((part for part in reversed(line.split("\r")) if part), "")


def tail(text: str) -> tuple[str, bool]:
    """The last 2,000 lines and 256 KiB of ``text``, very long lines cut; and whether there was more."""
    lines = text.rstrip("\n").split("\n")
    kept = [line if len(line) <= LINE_CHARS else f"{line[:LINE_CHARS]} …" for line in lines[-TAIL_LINES:]]
    size, first = 0, len(kept)
    while first and size + len(kept[first - 1].encode()) + 1 <= TAIL_BYTES:
        first -= 1
        size += len(kept[first].encode()) + 1
    return "\n".join(kept[first:]), first > 0 or len(lines) > TAIL_LINES


@sensitive_variables()
def mask(text: str, secrets: Iterable[str]) -> str:
    """``text`` without the given secrets and without what looks like a key. Secrets shorter than 8 characters stay:
    hiding them would hide ordinary words. Best effort: a secret that was transformed otherwise is not known here."""
    forms = {form for secret in secrets for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MASK)
    return SHAPES.sub(MASK, text)


@sensitive_variables()
def _forms(secret: str) -> set[str]:
    """The ways in which a secret is commonly written: as it is, line by line, quoted for URLs and JSON, in base64."""
    forms = {secret, *secret.split("\n"), clean(secret)}
    forms |= {
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote_plus(secret),
        urllib.parse.quote(secret),
    }
    forms.add(json.dumps(secret)[1:-1])
    forms = {form.strip() for form in forms}
    if len(secret) >= SHORTEST_SECRET:
        forms |= set(_base64_forms(secret.encode(errors="replace")))
    return {form for form in forms if len(form) >= SHORTEST_SECRET}


@sensitive_variables()
def _base64_forms(raw: bytes) -> Iterable[str]:
    """In base64 also where other bytes stand before it, such as a user's name: what depends on the secret alone."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode()
        begin = (0, 2, 3)[before]
        end = len(encoded) - (0, 3, 2)[(before + len(raw)) % 3]
        core = encoded[begin:end]
        yield core
        yield core.translate(str.maketrans("+/", "-_"))


@sensitive_variables()
def presentable(raw: str, secrets: Iterable[str]) -> tuple[str, bool]:
    """What may be shown of ``raw``, and whether it was cut. Masked over the whole text, before and after cleaning: a
    secret may hold what cleaning removes, and what cleaning removes may split a secret."""
    known = list(secrets)
    return tail(mask(clean(mask(raw, known)), known))


@sensitive_variables()
def secrets_of(job: Job) -> list[str]:
    """The secret values that the job was launched with. Raises :class:`vault.CannotOpen`."""
    spec = specs.restore(job)
    hidden = [spec.env[row["name"]] for row in job.spec.get("env", ()) if row["secret"]]
    if spec.registry_secret:
        hidden.append(spec.registry_secret.reveal())
    hidden += [volume.secret.reveal() for volume in spec.volumes if volume.secret]
    if heartbeat := specs.heartbeat_url(job):
        hidden.append(heartbeat.rpartition("/")[2])
    return hidden


@sensitive_variables()
def quoted(job: Job, text: str) -> str:
    """What the cloud says of the job, as one line of at most 300 characters: it may quote a secret that the job was
    launched with. Empty when these cannot be told."""
    try:
        shown = presentable(text, secrets_of(job))[0]
    except (
        vault.CannotOpen,
        LookupError,
        ValueError,
    ):  # an end is noted whatever is wrong with the specification
        return ""
    return " ".join(shown.split())[:QUOTED_CHARS]


@sensitive_variables()
def read(job: Job, run: JobRun) -> Log:
    """The tail of the run's log, at most 3 s old; however many watch, the cloud is asked once. Never raises for a fault
    of the cloud or the key."""
    found = cache.get(f"log:{run.pk}")
    return fetch(job, run) if found is None else found


@sensitive_variables()
def fetch(job: Job, run: JobRun) -> Log:
    """As :func:`read`, but asked for now, whatever is known; one request, tried once."""
    found = _fetch(job, run)
    cache.set(f"log:{run.pk}", found, KEPT_S)
    return found


@sensitive_variables()
def _fetch(job: Job, run: JobRun) -> Log:
    try:
        known = secrets_of(job)
        with client_for(job.credential, team_id=job.team_id, patient=False) as client:
            remote = client.get_job_run(run.remote_uuid)
    except DispersedError as error:
        return Log(trouble=error.sentence, retry_after_s=error.retry_after_s)
    except (vault.CannotOpen, ValueError) as error:
        return Log(trouble=f"The log cannot be read: {error}")
    known += [token.reveal() for token in remote.access_tokens]
    text, is_cut = presentable(remote.logs or "", known)
    return Log(text, "", is_cut, remote.logs is not None)
