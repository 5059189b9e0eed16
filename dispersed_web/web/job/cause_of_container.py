"""Ends that the container made itself: its exit, its memory, its log. Pure."""

from __future__ import annotations

import re

from dispersed_web.web import words
from dispersed_web.web.job import image_kinds
from dispersed_web.web.job.cause_facts import Cause, Facts, has


def _exit_code(facts: Facts) -> int | None:
    found = re.search(r"(?:exit(?:ed)?|code|status)[^\d\n]{0,25}(\d{1,3})\b", facts.said)
    return int(found[1]) if found else None


def _at_once(facts: Facts) -> bool:
    """It ended soon after its start; a container that exited between two looks was never seen to run."""
    return facts.ended_at_once or (facts.never_ran and _exit_code(facts) is not None)


def memory(facts: Facts) -> Cause | None:
    if has(
        facts.log, r"cuda out of memory|outofmemoryerror|cuda error: out of memory|cublas_status_alloc_failed"
    ):
        text = "Its log says that the GPU's memory was full."
        step = (
            "Ask for a GPU with more memory, or make batch, context or model smaller; then launch it again."
        )
        return Cause("gpu_memory", "The GPU ran out of memory", text, step, ("relaunch", "logs"))
    is_said = has(facts.said, r"out of memory|oom") or has(
        facts.log, r"out of memory: killed|oom-kill|memoryerror"
    )
    if is_said or _exit_code(facts) == 137:
        text = "The container was killed, most likely because it took more memory than the node has."
        step = "Ask for more RAM at launch, or load less at once; then launch it again."
        return Cause("memory", "Out of memory", text, step, ("relaunch", "logs"))
    return None


def no_key(facts: Facts) -> Cause | None:
    """The vendor's images start nothing but sshd, and no sshd without a key."""
    job = facts.job
    is_ssh_image = image_kinds.kind_of(str(job.spec_value("image", ""))).is_vendors
    if job.task != "PERSISTENT" or job.spec_value("ssh_key") or not is_ssh_image or not _at_once(facts):
        return None
    text = "This image starts SSH and nothing else. Without an SSH key it has nothing to do and ends at once."
    return Cause(
        "no_key", "It ended at once: no SSH key", text, "Launch it again with your SSH key and port 22."
    )


def exited(facts: Facts) -> Cause | None:
    code = _exit_code(facts)
    if code is None and not has(facts.said, r"exit|ended by itself|container"):
        return None
    at_once = _at_once(facts)
    ran = f" after {words.duration(facts.ran)}" if facts.ran is not None else ""
    if code:
        text = f"The container ended with code {code}{ran}: {CODES.get(code, 'its own program says that it failed')}."
        title = f"It ended at once, with code {code}" if at_once else f"Its program ended with code {code}"
        return Cause("exit", title, text, _next_of_log(facts), ("relaunch", "logs"))
    if facts.job.task == "BATCH":
        return None
    text = (
        f"Its program ended{ran} without an error. A machine lives as long as its image's own program runs."
    )
    title = "It ended at once" if at_once else "It ended by itself"
    step = "If it was to stay, use an image whose program keeps running, or launch it as a batch job."
    return Cause("exit", title, text, step, ("relaunch", "logs"))


CODES = {
    1: "its own program says that it failed",
    2: "it was called wrongly",
    125: "the container could not be made",
    126: "its program may not be executed",
    127: "its program was not found",
    134: "its program broke off",
    139: "its program crashed",
    143: "it was asked to end",
}


def _next_of_log(facts: Facts) -> str:
    line = _last_error(facts.log)
    return f"Its log says: “{line}”." if line else "Its log says more."


def _last_error(log: str) -> str:
    """The last line that looks like an error."""
    found = [
        line.strip()
        for line in log.splitlines()
        if re.search(r"error|exception|fatal|not found|denied", line, re.I)
    ]
    return f"{found[-1][:200]}…" if found and len(found[-1]) > 200 else found[-1] if found else ""


def unknown(facts: Facts) -> Cause:
    if facts.never_ran:
        text = "It ended before its container ran, and Dispersed does not say more."
        return Cause("unknown", "It never ran", text, "Check image and tag, then launch it again.")
    text = "Dispersed does not say more."
    return Cause("unknown", "It failed while running", text, _next_of_log(facts), ("relaunch", "logs"))
