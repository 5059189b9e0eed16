"""What may be stored as a secret of a team, and where one may go. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials.models import UsableBy
from dispersed_web.dispersed import JobSpec, problems_of
from dispersed_web.errors import DomainError

LONGEST_VALUE = 32 * 1024
SHORTEST_VALUE = 8
LONGEST_NOTE = 200
MOST_HOSTS = 20
# A registry without a name of its own in a specification.
DOCKER_HUB = "docker.io"
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")


class SecretRefused(DomainError):
    """The team's secret was neither stored nor changed."""


@sensitive_variables()
def clean_value(value: str) -> str:
    """The value as it is stored: line ends as Unix has them, none at its end. Raises :class:`SecretRefused` for one that
    is empty, cannot be sent, or is too short to be masked wherever it turns up."""
    value = value.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if not value.strip():
        raise SecretRefused("invalid", "A secret needs a value.", "value")
    if len(value) < SHORTEST_VALUE:
        raise SecretRefused(
            "invalid",
            f"At least {SHORTEST_VALUE} characters: a shorter value cannot be masked in logs.",
            "value",
        )
    if len(value.encode(errors="replace")) > LONGEST_VALUE:
        raise SecretRefused("invalid", f"At most {LONGEST_VALUE // 1024} KiB.", "value")
    found = problems_of(JobSpec(task="PERSISTENT", title="x", image="x", env={"X": value})).get("env")
    if found:
        raise SecretRefused("invalid", found.replace("The value of X", "The value"), "value")
    return value


def clean_hosts(hosts: Iterable[str]) -> list[str]:
    """Registries as they are stored and compared. Raises :class:`SecretRefused`."""
    found = sorted({host_of(host) for host in hosts if host.strip()})
    for host in found:
        if len(host) > 200 or not _HOST.fullmatch(host):
            raise SecretRefused(
                "invalid", f"“{host[:60]}” is no registry. Write it as ghcr.io or docker.io.", "hosts"
            )
    if len(found) > MOST_HOSTS:
        raise SecretRefused("invalid", f"At most {MOST_HOSTS} registries.", "hosts")
    return found


def may_go_further(before: Collection[str], after: Collection[str]) -> bool:
    """Whether a secret that was bound to ``before`` may go somewhere else with ``after``, empty being everywhere. Pure."""
    return bool(before) and (not after or not set(after) <= set(before))


def clean_note(note: str) -> str:
    """A note on one line. Raises :class:`SecretRefused`."""
    note = " ".join(note.split())
    if len(note) > LONGEST_NOTE or not note.isprintable():
        raise SecretRefused("invalid", f"A note has at most {LONGEST_NOTE} characters on one line.", "note")
    return note


def clean_use(usable_by: str) -> str:
    """Who may use it, as the rows say it. Raises :class:`SecretRefused`."""
    if usable_by not in UsableBy.values:
        raise SecretRefused("invalid", "Choose who may use it.", "usable_by")
    return str(usable_by)


def host_of(registry_host: str) -> str:
    """A registry as it is compared, however it was written."""
    host = registry_host.strip().lower().removeprefix("https://").removeprefix("http://").partition("/")[0]
    hub = ("", "index.docker.io", "registry-1.docker.io", "hub.docker.com")
    return DOCKER_HUB if host in hub else host
