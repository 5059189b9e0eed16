"""Whether a job's machine answers, tried from this server: only the addresses that the cloud gave for its live runs."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache

from dispersed_web.dispersed import is_terminal
from dispersed_web.jobs.errors import JobError, TooLate
from dispersed_web.jobs.knock import SECONDS, Door, Finding, Knock, knock
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.public_addresses import IpAddress, is_public

MOST_DOORS = 24
AT_ONCE = 8
ALL_SECONDS = 15.0
EVERY_S = 10
SSH_PORT = 22
ANYONE = ("0.0.0.0/0", "::/0")
# Names of the simulated cloud lead nowhere, by the rule that reserves this ending.
NOWHERE = ".invalid"


@dataclass(frozen=True)
class Found:
    """One address and what was found there. ``state`` is well, wait, bad or unknown; ``sentence`` says what to do."""

    name: str
    address: str
    state: str
    title: str
    sentence: str


def check(job: Job, runs: Iterable[JobRun]) -> list[Found]:
    """Tries every address of the job's live runs; takes up to 15 s, so never call it in a transaction.

    Raises :class:`TooLate` for a job that has ended, :class:`JobError` when there is no address, or when somebody tried a
    few seconds ago.
    """
    if not job.is_active:
        raise TooLate("too_late", "The job has ended: its machine is gone.")
    urls = [url for run in runs if not is_terminal(run.status) for url in run.node_urls][:MOST_DOORS]
    if not urls:
        raise JobError("no_address", "There is no address to try yet.")
    if not cache.add(f"reach:{job.pk}", True, EVERY_S):
        raise JobError("too_soon", f"Somebody tried a moment ago. Try again in {EVERY_S} seconds.")
    is_limited = _is_limited(job)
    return [
        _found(url, result, is_limited=is_limited)
        for url, result in zip(urls, _knock_all([_door(url) for url in urls]), strict=True)
    ]


def may_enter(address: IpAddress) -> bool:
    """Where this server may connect to: the internet; while the cloud is simulated, this machine alone."""
    return address.is_loopback if settings.DISPERSED_SIMULATED else is_public(address)


def _door(url: dict[str, Any]) -> Door:
    port = url.get("container_port") or (SSH_PORT if url.get("description") == "ssh" else None)
    protocol = url.get("protocol", "")
    if port == SSH_PORT:
        speaks = "ssh"
    elif protocol in ("", "tcp", "http", "https"):
        speaks = "https" if url.get("tls") or protocol == "https" else "http"
    else:
        speaks = ""
    return Door(str(url["hostname"]), int(url["port"]), speaks)


def _knock_all(doors: Sequence[Door]) -> list[Knock | None]:
    """One knock for each door, several at a time; ``None`` for what leads nowhere because it is simulated."""
    pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="reach")
    try:
        tries = [
            None if _is_nowhere(door) else pool.submit(knock, door, may_enter, SECONDS) for door in doors
        ]
        wait([one for one in tries if one is not None], timeout=ALL_SECONDS)
        return [
            None if one is None else one.result() if one.done() else Knock(Finding.SILENT) for one in tries
        ]
    finally:
        # The look-up of a name cannot be cut short; its thread ends by itself.
        pool.shutdown(wait=False, cancel_futures=True)


def _is_nowhere(door: Door) -> bool:
    return settings.DISPERSED_SIMULATED and door.host.lower().rstrip(".").endswith(NOWHERE)


def _is_limited(job: Job) -> bool:
    """Whether only some addresses may connect to the job, and so perhaps not this server's."""
    allowed = [str(one) for one in job.spec_value("allowed_ips") or ()]
    return bool(allowed) and not any(_is_anyone(one) for one in allowed)


def _is_anyone(text: str) -> bool:
    if text in ANYONE:
        return True
    try:
        return ipaddress.ip_network(text, strict=False).prefixlen == 0
    except ValueError:
        return False


def _found(url: dict[str, Any], result: Knock | None, *, is_limited: bool) -> Found:
    host = f"[{url['hostname']}]" if ":" in url["hostname"] else url["hostname"]
    port = url.get("container_port") or url.get("description") or ""
    name = "SSH" if port in (SSH_PORT, "ssh") else f"Port {port}".strip()
    state, title, sentence = _words(result, is_limited=is_limited)
    return Found(name, f"{host}:{int(url['port'])}", state, title, sentence)


def _words(result: Knock | None, *, is_limited: bool) -> tuple[str, str, str]:
    """What was found, in words, and what to do about it."""
    if result is None:
        return (
            "unknown",
            "Simulated",
            "This machine exists in the simulation only: there is nothing to connect to.",
        )
    if result.finding in (Finding.REFUSED, Finding.SILENT) and is_limited:
        return (
            "unknown",
            "This server cannot tell",
            "Only the addresses that were allowed at launch may connect, and this server seems to be none of them. Try it "
            "from your own computer.",
        )
    if result.finding == Finding.HTTP:
        return _words_of_status(result.status)
    return _WORDS[result.finding]


_WORDS: dict[Finding, tuple[str, str, str]] = {
    Finding.SSH: (
        "well",
        "Reachable",
        "SSH answers. If your own ssh does not get in, look whether it offers the key that was given at launch.",
    ),
    Finding.OPEN: (
        "well",
        "Reachable",
        "It takes connections, and does not speak as a web page or SSH would. A program of its own may want that.",
    ),
    Finding.UNTRUSTED: (
        "wait",
        "Answers, not trusted",
        "It answers over TLS with a certificate that is not trusted. A browser will warn of it.",
    ),
    Finding.REFUSED: (
        "bad",
        "Refused",
        "Nothing listens there. After the start that may take two more minutes; later the program has ended or the node is "
        "lost. Look at the log, then launch it again if it stays so. A program must listen on 0.0.0.0, or be forwarded.",
    ),
    Finding.SILENT: (
        "bad",
        "No answer",
        "Nothing came back within four seconds. Try again in a minute; if it stays so the node may be lost: save what you "
        "can, stop the job and launch it again.",
    ),
    Finding.UNKNOWN_NAME: (
        "bad",
        "Name not found",
        "The name of the node is not known on the internet. A new one may take a minute; one that worked before is gone.",
    ),
    Finding.FORBIDDEN: (
        "unknown",
        "Not tried",
        "It leads to an address that is not on the public internet, and this server does not connect to such.",
    ),
}


def _words_of_status(status: int) -> tuple[str, str, str]:
    if status in (401, 403):
        return "well", "Reachable", f"It answers and asks for a sign-in ({status})."
    if status >= 500:
        return (
            "wait",
            "Not ready",
            f"Something answers, and says that the program behind it does not yet ({status}). Wait a minute, then look at "
            "the log.",
        )
    if status >= 400:
        return (
            "well",
            "Reachable",
            f"It answers. Its first page is not there ({status}), which is usual for an API.",
        )
    return "well", "Reachable", "The page answers."
