"""What somebody should know before a launch, in plain language. Pure; each warning is a function of its own."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dispersed_web.dispersed import PERSISTENT
from dispersed_web.durations import MINUTE_S, write
from dispersed_web.web import words
from dispersed_web.web.forms.order import addresses_of, adds_ssh_port, ports_of

SHORT_START_S = 15 * MINUTE_S
WIDE_OPEN = ("0.0.0.0/0", "::/0")
# The vendor's images start an SSH server, and only with a key (seen in their sources).
SSH_IMAGES = ("dispersednetwork/", "otoy/dispersed")
# These run nothing but that server, so without a key they end at once.
ONLY_SSH = ("dispersednetwork/base", "otoy/dispersed-base")
MOVING_TAGS = {"", "latest", "main", "master", "nightly", "edge", "dev", "stable"}
# Sizes in GB that were seen, and how fast: 22.7 GB took nine minutes on a node in the field.
KNOWN_SIZES_GB = {
    "dispersednetwork/llama.cpp_accesstoken_preload": 22.7,
    "dispersednetwork/llama.cpp_basic_auth_preload": 22.7,
}
SECONDS_PER_GB = 9 * MINUTE_S / 22.7
_SECRET = re.compile(
    r"-----BEGIN |^(hf_|sk-|sk_|pk_live|rk_live|ghp_|gho_|github_pat_|glpat-|xox[abpr]-|AKIA|ASIA|AIza|SG\.|npm_|dckr_pat_)"
    r"|^eyJ[\w-]+\.[\w-]+\."
)


@dataclass(frozen=True)
class Around:
    """What the form alone does not tell. ``exposed_env`` are variables stored in plain although they look secret;
    ``last_end_at`` is the latest moment at which the job may have to be stopped; prices are USD per hour."""

    exposed_env: Sequence[str] = ()
    key_expires_at: dt.datetime | None = None
    last_end_at: dt.datetime | None = None
    from_usd: Decimal | None = None
    to_usd: Decimal | None = None


Data = Mapping[str, Any]


def notes(data: Data) -> list[str]:
    """What is done on one's behalf."""
    if adds_ssh_port(data):
        return [
            "Port 22 is published too: there is an SSH key, and a list of ports replaces the default set."
        ]
    return []


def warnings(data: Data, around: Around = Around()) -> list[str]:
    """What may cost money, fail, or let strangers in, most expensive first."""
    found = (warning(data, around) for warning in WARNINGS)
    return [sentence for sentence in found if sentence]


# Money ---------------------------------------------------------------------------------------------------------------


def bills_until_stopped(data: Data, _: Around) -> str:
    if data.get("task") != PERSISTENT:
        return ""
    lifetime = data.get("lifetime")
    until = f", at the latest after {words.round_duration(lifetime)}" if lifetime else ""
    return f"A persistent job bills until it is stopped: by you, or by this server{until}."


def several_nodes(data: Data, _: Around) -> str:
    nodes = data.get("max_node_count") or 1
    return f"Up to {nodes} nodes run and bill at the same time." if nodes > 1 else ""


def retries(data: Data, _: Around) -> str:
    count = data.get("max_retry_count")
    if not count:
        return ""
    times = "once" if count == 1 else f"up to {count} times"
    return f"After a failure it starts again, {times}, and bills each try."


def above_the_cap(data: Data, around: Around) -> str:
    cap_usd = data.get("rate_cap_usd")
    if cap_usd is None or around.to_usd is None or cap_usd >= around.to_usd:
        return ""
    if around.from_usd is not None and cap_usd < around.from_usd:
        return ""  # a fault of the field, see cap_too_low
    return (
        f"Some fitting offers cost up to {words.rate(around.to_usd)}, above your highest price of {words.rate(cap_usd)}. "
        "On such a node the job is stopped within minutes, unless somebody accepts the price."
    )


def outlives_the_key(_: Data, around: Around) -> str:
    expires_at, end_at = around.key_expires_at, around.last_end_at
    if expires_at is None or end_at is None or end_at <= expires_at:
        return ""
    return (
        f"The credential's key expires on {expires_at:%d %B at %H:%M} UTC, before this job's last possible end, and an "
        "expired key cannot stop a job. Choose another credential."
    )


# Access --------------------------------------------------------------------------------------------------------------


def open_to_all(data: Data, _: Around) -> str:
    reachable = data.get("ssh_key") or data.get("ports")
    if not reachable or not any(address in WIDE_OPEN for address in addresses_of(data)):
        return ""
    other = [port for port in ports_of(data) if port != 22]
    if other:
        what = f"port {', '.join(map(str, other))}"
        return f"Anyone on the internet can reach {what}. What listens there needs a password of its own."
    return "Anyone on the internet can reach its SSH port; only your key opens it."


def secrets_in_plain(_: Data, around: Around) -> str:
    if not around.exposed_env:
        return ""
    names = ", ".join(around.exposed_env)
    return f"Stored in plain although it sounds secret: {names}. Your team can read it on the job's page."


# Failure -------------------------------------------------------------------------------------------------------------


def no_key_for_ssh(data: Data, _: Around) -> str:
    image = data.get("image") or ""
    if data.get("task") != PERSISTENT or data.get("ssh_key") or not image.startswith(SSH_IMAGES):
        return ""
    if image.startswith(ONLY_SSH):
        return "No SSH key: this image runs nothing but an SSH server, which needs one, and ends at once without it."
    return "No SSH key: this image starts its SSH server only with one, so nobody can sign in to the machine."


def moving_tag(data: Data, _: Around) -> str:
    tag = data.get("tag") or ""
    if not data.get("image") or tag not in MOVING_TAGS:
        return ""
    return f"The tag “{tag or 'latest'}” moves: tomorrow it may be another image. A fixed tag launches the same again."


def pull_too_long(data: Data, _: Around) -> str:
    size_gb = KNOWN_SIZES_GB.get(data.get("image") or "")
    start_s = data.get("max_timeout_start")
    if size_gb is None or start_s is None or start_s >= size_gb * SECONDS_PER_GB:
        return ""
    pull = write(round(size_gb * SECONDS_PER_GB / MINUTE_S) * MINUTE_S)
    return f"Only {write(start_s)} to start: this image has {size_gb:g} GB, whose pull took about {pull}."


def short_start(data: Data, around: Around) -> str:
    start_s = data.get("max_timeout_start")
    if start_s is None or start_s >= SHORT_START_S or pull_too_long(data, around):
        return ""
    return f"Only {write(start_s)} to start: pulling a large image can take longer, and the job then fails."


def no_gpu(data: Data, _: Around) -> str:
    if data.get("gpu_count") != 0:
        return ""
    return "No GPU is asked for, so the job may land on a machine without one."


def looks_like_a_secret(value: str) -> bool:
    """Whether a value has the form of a well-known kind of secret."""
    return bool(_SECRET.search(value.strip()))


WARNINGS: tuple[Callable[[Data, Around], str], ...] = (
    bills_until_stopped,
    several_nodes,
    retries,
    above_the_cap,
    outlives_the_key,
    open_to_all,
    secrets_in_plain,
    no_key_for_ssh,
    moving_tag,
    pull_too_long,
    short_start,
    no_gpu,
)
