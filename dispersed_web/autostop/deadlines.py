"""The deadlines of a job: for idleness, and the hard ones that depend on nothing but clock and rows. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dispersed_web.autostop.activity import ZERO, Activity, Confidence, Use
from dispersed_web.autostop.schedule import next_stop
from dispersed_web.autostop.terms import Facts, Policy

IDLE = "idle"
CHECKIN = "checkin_unanswered"
LIFETIME = "max_lifetime"
SCHEDULE = "schedule"
BUDGET = "budget"
RATE = "rate"
STUCK = "stuck_starting"

SAME_MOMENT = dt.timedelta(minutes=1)
SHORTEST_LEAD = dt.timedelta(seconds=10)
# What people get at least between a warning that comes late and the stop.
LATE_NOTICE = dt.timedelta(minutes=5)
LATE_NOTICE_OF_SCHEDULE = dt.timedelta(minutes=10)
NOTICE_OF_SPENDING = dt.timedelta(minutes=5)
# After an outage this much must have been watched anew, however short the idle limit is.
WATCHED_AFTER_OUTAGE = dt.timedelta(minutes=15)
# Evidence that the machine gives of itself can be forged: after so long a person is asked all the same.
MACHINE_ALONE = dt.timedelta(hours=12)
CONNECTED = dt.timedelta(minutes=15)


@dataclass(frozen=True)
class Deadline:
    """A moment at which the job stops, and the reason code of the limit that sets it. People are warned ``lead`` before;
    warned later, they still get ``notice``. ``puts_off``: a warning that reached nobody puts the stop off once by so
    much. One that passed while nobody looked gives notice once more. ``is_armed``: whether it may warn now;
    ``is_proven``: whether what it rests on was watched closely enough to stop."""

    at: dt.datetime
    rule: str
    lead: dt.timedelta
    notice: dt.timedelta
    puts_off: dt.timedelta = ZERO
    is_armed: bool = True
    is_proven: bool = True

    def is_warned(self, facts: Facts) -> bool:
        """Whether people were told of this moment; moved later by less than a minute it is still the same."""
        if facts.warned_for is None or facts.warned_at is None:
            return False
        return is_same(self.at, facts.warned_for)

    def is_near(self, facts: Facts, now: dt.datetime) -> bool:
        """Whether people were told of it, or it is time to tell them."""
        return self.is_warned(facts) or now >= self.at - self.lead

    def earliest(self, facts: Facts, now: dt.datetime) -> dt.datetime:
        """When the job can stop by this deadline at the earliest."""
        if not self.is_warned(facts) or facts.warned_at is None:
            return max(self.at, now + self.notice)
        told_at = facts.warned_at
        if facts.resumed_at is not None and facts.resumed_at >= self.at:
            told_at = max(told_at, facts.resumed_at)
        return max(self.at, told_at + self.notice)


def is_same(at: dt.datetime, told: dt.datetime | None) -> bool:
    """Whether people were told of this moment, or of one less than a minute before it."""
    return told is not None and ZERO <= at - told < SAME_MOMENT


def idle(policy: Policy, facts: Facts, use: Activity, now: dt.datetime) -> Deadline | None:
    """When the job stops for idleness if nobody uses it from now on; ``None`` where nothing can tell."""
    rule = policy.idle_rule(use.confidence)
    if rule is None or use.quiet_since is None or use.use == Use.BLIND or facts.running_at is None:
        return None
    lead = min(rule.lead * (2 if use.ssh_is_open else 1), rule.limit / 2)
    ends = [use.quiet_since + rule.limit, facts.extend_until, facts.protected_until, facts.kept_until]
    ends.append(_full_warning(policy.notice_from(now), lead))
    # While a sign of work counts nobody is warned.
    ends.append(use.active_until + lead if use.active_until else None)
    if facts.trusted_since is not None and facts.trusted_since > facts.running_at:
        ends.append(facts.trusted_since + WATCHED_AFTER_OUTAGE)
    at = max(end for end in ends if end is not None)
    if facts.warned_for is not None and facts.warned_for <= at <= now:
        # It was held back so long that the beginning of its quiet time is out of sight: nothing new to warn of.
        at = facts.warned_for
    is_quiet = use.use == Use.QUIET
    armed = is_quiet and use.is_fresh and use.covers(rule.limit - lead, now)
    proven = is_quiet and use.covers(rule.limit, now)
    return Deadline(at, IDLE, lead, lead, puts_off=lead, is_armed=armed, is_proven=proven)


def hard(policy: Policy, facts: Facts, use: Activity) -> list[Deadline]:
    """Every hard deadline that holds, in no order."""
    found = [
        lifetime(policy, facts),
        _schedule(policy, facts),
        _checkin(policy, facts, use),
        _spending(facts.budget_reached_at, BUDGET),
        _spending(facts.rate_exceeded_at, RATE),
        _stuck(policy, facts),
    ]
    return [deadline for deadline in found if deadline is not None]


def lifetime(policy: Policy, facts: Facts) -> Deadline | None:
    """The end of the maximum lifetime, moved by an extension but never beyond the ceiling."""
    if policy.lifetime is None:
        return None
    end = facts.launched_at + policy.lifetime
    if facts.extend_until is not None:
        end = max(end, facts.extend_until)
    highest = ceiling(policy, facts)
    end = min(end, highest) if highest else end
    lead = _lead(policy, facts, end)
    return Deadline(end, LIFETIME, lead, min(lead, LATE_NOTICE))


def ceiling(policy: Policy, facts: Facts) -> dt.datetime | None:
    """The end of the longest lifetime that the team allows."""
    return facts.launched_at + policy.ceiling if policy.ceiling is not None else None


def next_scheduled(policy: Policy, facts: Facts) -> dt.datetime | None:
    """The first stop of the team's schedule after the launch, or after the schedule was set. A BATCH job ends by itself,
    so the schedule does not concern it."""
    if policy.schedule is None or policy.task != "PERSISTENT":
        return None
    began = max([facts.launched_at, *([policy.schedule_since] if policy.schedule_since else [])])
    return next_stop(policy.schedule, began)


def _schedule(policy: Policy, facts: Facts) -> Deadline | None:
    at = next_scheduled(policy, facts)
    if at is None:
        return None
    lead = _lead(policy, facts, at)
    # Only a change of the schedule itself moves its stops: else every other change would put them off.
    full = policy.schedule_since + lead if policy.schedule_since else at
    return Deadline(max(at, full), SCHEDULE, lead, min(lead, LATE_NOTICE_OF_SCHEDULE))


def _checkin(policy: Policy, facts: Facts, use: Activity) -> Deadline | None:
    """The end of the time to answer. The warning before it is the question itself."""
    asked_at = checkin_at(policy, facts, use)
    if asked_at is None:
        return None
    answer = policy.checkin.answer
    # Check-ins were enforced before the observing of idleness ended, so its end does not move them.
    full = _full_warning(policy.changed_at, answer)
    at = asked_at + answer
    return Deadline(max(at, full) if full else at, CHECKIN, answer, answer, puts_off=answer)


def checkin_at(policy: Policy, facts: Facts, use: Activity) -> dt.datetime | None:
    """When a person is asked whether the job is still in use; what somebody said of it lasts as long as they said."""
    if facts.running_at is None or policy.task != "PERSISTENT":
        return None
    said = facts.confirmed_at if facts.confirmed_at and facts.confirmed_at >= facts.running_at else None
    if use.confidence != Confidence.LOW:
        asked_at = (said or facts.running_at) + MACHINE_ALONE
    else:
        began = max([facts.running_at, *([use.lost_at] if use.lost_at else [])])
        is_answered = said is not None and said >= began
        asked_at = said + policy.checkin.every if said and is_answered else began + policy.checkin.first
        if use.lost_at and not is_answered:
            # Else a signal that comes and goes would put off for ever what people are asked after a while anyway.
            asked_at = min(asked_at, (said or facts.running_at) + MACHINE_ALONE)
    later = [facts.extend_until, facts.protected_until]
    later.append(facts.connected_at + CONNECTED if facts.connected_at else None)
    return max([asked_at, *(at for at in later if at is not None)])


def _spending(since: dt.datetime | None, rule: str) -> Deadline | None:
    if since is None:
        return None
    return Deadline(since + NOTICE_OF_SPENDING, rule, NOTICE_OF_SPENDING, NOTICE_OF_SPENDING)


def _stuck(policy: Policy, facts: Facts) -> Deadline | None:
    """A run that does not come to RUNNING."""
    if policy.start_limit is None or facts.running_at is not None or facts.starting_since is None:
        return None
    lead = max(policy.start_limit / 5, SHORTEST_LEAD)
    return Deadline(
        facts.starting_since + policy.start_limit, STUCK, min(lead, LATE_NOTICE), min(lead, LATE_NOTICE)
    )


def _lead(policy: Policy, facts: Facts, end: dt.datetime) -> dt.timedelta:
    """The policy's lead, but at most a fifth of the whole time."""
    return max(min(policy.warn_lead, (end - facts.launched_at) / 5), SHORTEST_LEAD)


def _full_warning(changed_at: dt.datetime | None, lead: dt.timedelta) -> dt.datetime | None:
    """A change of policy that makes a job due gives the full warning from the change on."""
    return changed_at + lead if changed_at else None
