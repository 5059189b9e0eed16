"""Ends that the cloud made, read from its words and from the phase that was reached. Pure."""

from __future__ import annotations

from dispersed_web.jobs import settling
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.web import words
from dispersed_web.web.job.cause_facts import Cause, Facts, has
from dispersed_web.web.jobs import rows


def refused(facts: Facts) -> Cause | None:
    if facts.job.reason != Reason.REFUSED:
        return None
    if has(facts.said, r"credit|balance|funds|payment|billing"):
        return no_credit(facts)
    if has(facts.said, r"\bkey\b|signature|unauthori[sz]ed|forbidden|permission|revoked|expired"):
        text = "Dispersed does not accept the key, or the key may not launch. Nothing was started."
        return Cause(
            "key",
            "The key was refused",
            text,
            "Test the credential, then launch it again.",
            ("relaunch", "credential"),
        )
    text = "Dispersed read the request and did not take it. Nothing was started, so nothing costs."
    return Cause("refused", "Dispersed refused it", text, "Change what was refused, then launch it again.")


def unsent(facts: Facts) -> Cause | None:
    if facts.job.reason != Reason.EXPIRED:
        return None
    text = "The launch could not be sent in time, and what waits for too long is never sent. Nothing was started."
    return Cause("unsent", "It was never sent", text, "Launching it again is safe.", ("same",))


def never_arrived(facts: Facts) -> Cause | None:
    if facts.job.reason != Reason.NEVER_ARRIVED:
        return None
    if settling.LOOKED.lower() in facts.said:
        text = "Its answer was never clear, and somebody looked: nothing of it runs."
        step = "Launch it again if you still want it, and look here once more if this one turns up."
        return Cause("settled", "Nothing came of it", text, step, ("same",))
    text = "The request was lost on its way, and complete listings prove that nothing came of it."
    return Cause(
        "never_arrived", "It never reached Dispersed", text, "Launching it again is safe.", ("same",)
    )


def lost(facts: Facts) -> Cause | None:
    if facts.job.reason != Reason.LOST:
        return None
    text = "Dispersed stopped showing it, so nobody knows how it ended. Somebody looked: it does not run any more."
    step = "Look at what is kept of its log, and launch it again if its work was not done."
    return Cause("lost", "It was lost sight of", text, step, ("same", "logs"))


# What the cloud's words name


def registry(facts: Facts) -> Cause | None:
    pattern = r"pull access denied|unauthori[sz]ed|authentication required|access denied|denied:|no basic auth|login"
    if not facts.never_ran or not has(facts.said, pattern):
        return None
    has_login = bool(facts.job.spec_value("has_registry_secret"))
    text = (
        "The registry did not accept the user or the password given at launch."
        if has_login
        else "The registry wants a login for this image, and none was given. A name that does not exist is answered alike."
    )
    step = "Check the image's name, its registry, and a token that may read it; then launch it again."
    return Cause("registry", "The registry refused the image", text, step)


def no_image(facts: Facts) -> Cause | None:
    pattern = r"no such image|image.{0,80}not found|manifest|invalid reference|repository does not exist"
    if not facts.never_ran or not has(facts.said, pattern):
        return None
    spec = facts.job.spec_value
    name = "/".join(filter(None, (str(spec("registry_host") or ""), str(spec("image", "")))))
    text = f"No registry has {name}:{spec('tag') or 'latest'}, as it was written at launch."
    step = "Check image and tag for a slip, and whether that tag still exists; then launch it again."
    return Cause("image", "The image was not found", text, step)


def disk(facts: Facts) -> Cause | None:
    if not has(f"{facts.said}\n{facts.log}", r"no space left on device|disk (is )?full|disk quota"):
        return None
    text = "The node had no room left for the image or for what was written."
    return Cause(
        "disk", "The disk was full", text, "Ask for more storage at launch, or write less to the machine."
    )


def no_credit(facts: Facts) -> Cause | None:
    pattern = r"credit|balance|funds|payment|authorization.{0,20}declined"
    if not has(facts.said, pattern):
        return None
    text = "The account at Dispersed seems to have no credit left for it."
    return Cause(
        "credit",
        "No credit left",
        text,
        "Add credit in the console of Dispersed, then launch it again.",
        ("same",),
    )


def no_node(facts: Facts) -> Cause | None:
    is_said = has(facts.said, r"no node|could be assigned|not be assigned|assign.{0,30}(time|within)")
    if not is_said and not (facts.never_ran and not facts.runs and facts.job.assigned_at is None):
        return None
    limit_s = rows.timeout_s(facts.job, "assign")
    limit = words.round_duration(limit_s)
    wishes = _wishes(facts.job)
    text = f"No free node that fits was found within {limit}.{f' It asked for {wishes}.' if wishes else ''}"
    step = f"Allow {_wider(facts.job)}, or a longer wait for a node; then launch it again. Nothing ran, so nothing is lost."
    return Cause(
        "no_node", "No node was found in time", text, step, longer="max_timeout_assign", longer_s=limit_s
    )


def _wishes(job: Job) -> str:
    """What made the search narrow."""
    spec = job.spec_value
    found = [job.gpu_label] if job.gpu_label else []
    for name, unit in (
        ("min_vram_gb", "GB of VRAM"),
        ("min_ram_gb", "GB of RAM"),
        ("min_storage_gb", "GB of storage"),
    ):
        if spec(name):
            found.append(f"{spec(name)} {unit}")
    if (spec("gpu_count") or 1) > 1:
        found.append(f"{spec('gpu_count')} GPUs")
    if spec("allowed_region_codes"):
        found.append(
            f"the region{'s' * (len(spec('allowed_region_codes')) > 1)} {', '.join(spec('allowed_region_codes'))}"
        )
    return ", ".join(found)


def _wider(job: Job) -> str:
    return (
        "more regions or another GPU"
        if job.spec_value("allowed_region_codes")
        else "another GPU, or ask for less"
    )


def node_lost(facts: Facts) -> Cause | None:
    if not has(facts.said, r"node (was )?(lost|died|gone|unreachable)|lost (the )?node|heartbeat"):
        return None
    text = "The node left the network, which happens on machines of other people. What was on it is gone."
    retries = facts.job.spec_value("max_retry_count")
    step = (
        "Launch it again."
        if retries
        else "Launch it again; with retries allowed, another node takes over by itself."
    )
    return Cause("node_lost", "The node was lost", text, step, ("same", "relaunch"))


def run_timeout(facts: Facts) -> Cause | None:
    if not has(facts.said, r"max_timeout_run|run time ?out|run exceeded|exceeded.{0,30}(run|execution)"):
        return None
    limit_ms = facts.job.spec_value("max_timeout_run_ms")
    limit = f" of {words.round_duration(int(limit_ms) // 1000)}" if limit_ms else ""
    text = f"It was not done when its time{limit} was over, and the cloud ended it."
    step = "Allow a longer run, or make it save its work and go on from there; then launch it again."
    if not limit_ms:
        return Cause("run_timeout", "Its time was over", text, step)
    limit_s = int(limit_ms) // 1000
    return Cause("run_timeout", "Its time was over", text, step, longer="max_timeout_run", longer_s=limit_s)


def start_timeout(facts: Facts) -> Cause | None:
    is_said = has(facts.said, r"did not start|not start(ed)? within|start.{0,20}time ?out|max_timeout_start")
    is_said = is_said or facts.job.reason == Reason.STUCK_STARTING
    if facts.job.running_at is not None and not is_said:
        return None
    if not is_said and not has(facts.said, r"time ?out|within|no reason"):
        return None
    limit_s = rows.timeout_s(facts.job, "start")
    limit = words.round_duration(limit_s)
    tries = len(facts.runs)
    again = f" It was tried {tries} times." if tries > 1 else ""
    text = (
        f"The container did not start within {limit}: most often the image takes longer to pull, sometimes a node never "
        f"finishes.{again}"
    )
    step = "Check image and tag, allow a longer start (30 min suits large images) and a retry; then launch it again."
    return Cause(
        "start_timeout",
        "It took too long to start",
        text,
        step,
        longer="max_timeout_start",
        longer_s=limit_s,
    )


def elsewhere(facts: Facts) -> Cause | None:
    if facts.job.state != Status.CANCELLED or facts.job.stop_reason:
        return None
    text = (
        "Nobody stopped it from here. It was stopped in the console of Dispersed, by another program with the same account, "
        "or by Dispersed itself."
    )
    return Cause(
        "elsewhere",
        "It was cancelled elsewhere",
        text,
        "Ask who shares the account, then launch it again.",
        ("same",),
    )
