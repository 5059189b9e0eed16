"""What each kind of event is called in messages, what may be done from them, and where they go. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Offer:
    """Something that a link in a message does: ``act`` is ``extend``, ``stop`` or ``keep``."""

    act: str
    label: str
    minutes: int | None = None


EXTEND = (
    Offer("extend", "Extend by 30 min", 30),
    Offer("extend", "Extend by 1 h", 60),
    Offer("extend", "Extend by 4 h", 240),
)
KEEP = Offer("keep", "Still in use")
STOP = Offer("stop", "Stop now")


@dataclass(frozen=True)
class Kind:
    """``subject`` may name times and numbers of the event's data in braces; ``plain`` is said where one is missing.

    ``tone`` is green, amber, red, blue or grey. ``follows``: news that go to whoever was warned.
    ``not_to_actor``: whoever did it knows, or is told of it by another event.
    """

    subject: str
    plain: str = ""
    tone: str = "blue"
    offers: tuple[Offer, ...] = ()
    follows: bool = False
    inbox_only: bool = False
    not_by_webhook: bool = False
    not_to_actor: bool = False


KINDS = {
    "job.warned": Kind("Stops at {stop_at}", "Stops soon", "amber", (*EXTEND, STOP)),
    "job.reminded": Kind(
        "Reminder: stops at {stop_at}", "Reminder: stops soon", "amber", (*EXTEND, STOP), follows=True
    ),
    "job.checkin": Kind("Still using it?", tone="amber", offers=(KEEP, STOP)),
    "job.called_off": Kind("Stop called off", tone="green", follows=True),
    "job.extended": Kind("Now stops at {until}", "Stop called off", "green", follows=True),
    "job.in_use": Kind("Still in use", tone="green", follows=True),
    "job.protected": Kind("Protected", tone="green", follows=True),
    "job.kept": Kind("Kept by its machine", tone="green", follows=True),
    "job.rate_accepted": Kind("Price accepted", tone="green", follows=True),
    "job.stop_requested": Kind("Being stopped", tone="amber", follows=True),
    "job.stop_unconfirmed": Kind("Stop not confirmed", tone="red", follows=True),
    "job.ended": Kind("Ended", tone="grey", follows=True),
    "job.ready": Kind("Ready", tone="green", not_by_webhook=True),
    "job.handed_over": Kind("Handed over", not_by_webhook=True),
    "job.blind": Kind("Signal lost", tone="amber"),
    "job.warning_failed": Kind("A warning reached nobody", tone="red"),
    "job.would_stop": Kind(
        "Would have stopped at {would_stop_at}", "Would have been stopped", inbox_only=True
    ),
    "job.batch_silent": Kind("Silent for long", tone="amber", offers=(STOP,)),
    "job.rate_exceeded": Kind("Costs more than stated", tone="red", offers=(STOP,)),
    "budget.reached": Kind("{percent} % of a budget is used", "A budget is nearly used", "amber"),
    "team.hold": Kind("Stops are held back, decide on them", tone="red"),
    "team.engine_late": Kind("Auto-stop is late", tone="red"),
    "job.adopted": Kind("Adopted for you"),
    "job.recordless": Kind("Found without a record", tone="red"),
    "job.missing": Kind("Lost sight of", tone="red"),
    "job.duplicate": Kind("Started twice", tone="red"),
    "job.found": Kind("Found again"),
    "job.unresolved": Kind("Still not known", tone="amber"),
    "job.settled": Kind("Settled by somebody who looked", tone="grey"),
    "job.back": Kind("Alive again", tone="red"),
    "job.not_launched": Kind("Not launched", tone="red"),
    "job.refused": Kind("Refused", tone="red"),
    "job.never_arrived": Kind("Never arrived", tone="red"),
    "unmanaged.runs": Kind("Still runs, not launched here", tone="amber", not_by_webhook=True),
    "unmanaged.ended": Kind("Ended, not launched here", tone="grey", not_by_webhook=True),
    "unmanaged.lost": Kind("Lost sight of, not launched here", tone="red", not_by_webhook=True),
    "unmanaged.dearer": Kind("Costs more, not launched here", tone="amber", not_by_webhook=True),
    "unmanaged.unclear": Kind("Nobody knows whose it is", tone="red"),
    "credential.broken": Kind("Credential does not work", tone="red"),
    "credential.works": Kind("Credential works again", tone="green"),
    "credential.expires": Kind("A key expires soon", tone="amber"),
    "credential.expired": Kind("A key has expired", tone="red"),
    "credential.gone": Kind("A retired key was destroyed", tone="grey", not_by_webhook=True),
    "credential.deleted": Kind("Credential deleted", tone="grey", not_by_webhook=True),
    "credential.added": Kind("Credential added", tone="amber"),
    "credential.replaced": Kind("Keys replaced", tone="amber"),
    "credential.rotated": Kind("Keys replaced", tone="amber"),
    "credential.first_used": Kind("Credential used by somebody new"),
    "token.created": Kind("An API token was made", tone="amber", not_by_webhook=True),
    "token.revoked": Kind("An API token was revoked", tone="grey", not_by_webhook=True),
    "token.expires": Kind("An API token expires soon", tone="amber", not_by_webhook=True),
    "job.token_shown": Kind("Access token shown", tone="amber"),
    "channel.broken": Kind("The webhook does not work", tone="red", not_by_webhook=True),
    "channel.tested": Kind("Test"),
    # Who belongs to a team
    "member.added": Kind("New member"),
    "member.joined": Kind("New member", not_to_actor=True),
    "member.role_changed": Kind("Role changed", tone="amber"),
    "member.removed": Kind("Member removed", tone="amber"),
    "member.left": Kind("Member left", tone="amber"),
    "member.may_know_keys": Kind("Replace these keys", tone="red"),
    "invitation.made": Kind("Somebody is invited"),
    "invitation.declined": Kind("Invitation declined", tone="grey"),
    "account.removed": Kind("Removed from a team", tone="amber"),
    "account.team_deleted": Kind("Team deleted", tone="amber"),
    "account.site_admin": Kind("You administer this installation", tone="amber"),
    "account.site_admin_ended": Kind("You no longer administer this installation", tone="amber"),
    "account.factor_needed": Kind("Your team needs a second factor", tone="red"),
    "account.factor_announced": Kind("Your team is going to need a second factor", tone="amber"),
    "team.mfa_optional": Kind("A second factor is needed no longer", tone="amber"),
    "team.shredded": Kind("The team’s secrets were destroyed", tone="red"),
    "team.installation_adopted": Kind("Another installation acts now", tone="amber"),
    "audit.broken": Kind("The audit log is not whole", tone="red"),
    # Of a person's own account
    "account.signed_in": Kind("New sign-in"),
    "account.attempts": Kind("Many wrong passwords", tone="red"),
    "account.sessions_ended": Kind("Sessions ended"),
    "account.password_changed": Kind("Password changed", tone="amber"),
    "account.email_changed": Kind("E-mail address changed", tone="amber"),
    "account.mfa_added": Kind("Second factor added", tone="amber"),
    "account.mfa_removed": Kind("Second factor removed", tone="red"),
    "account.recovery_codes": Kind("New recovery codes", tone="amber"),
    "account.recovery_code_used": Kind("A recovery code was used", tone="amber"),
    "member.mfa_changed": Kind("Second factor of a member", tone="amber", not_to_actor=True),
    "account.sign_in_linked": Kind("Another way to sign in", tone="amber"),
}
NOTICE = Kind("Notice")

# Deadlines that an extension moves; the others hold whatever anybody says of the job.
EXTENDABLE = frozenset({"", "idle", "max_lifetime", "checkin_unanswered"})
UNANSWERED = "checkin_unanswered"
# A maximum lifetime that ends where the team, the key or the recipe allows no more.
LAST_LIFETIME = "last_lifetime"
CALLS_OFF = {
    "idle": "Use it again or extend it, and the stop is called off.",
    "max_lifetime": "Extend it, and it stops later, as far as the team allows.",
    LAST_LIFETIME: "It has run as long as it may, so nobody can extend it. Save what you need of it before.",
    "schedule": "The team's schedule stops it. An admin can change that.",
    "budget": "A budget is used up. An admin can raise it.",
    "rate": "Accept the price on the job's page, and the stop is called off.",
    UNANSWERED: "Say that it is still in use, and it goes on.",
}


def kind_of(name: str) -> Kind:
    """The kind of this name; an unknown one is a plain notice, told by its sentence."""
    return KINDS.get(name, NOTICE)


def offers(name: str, rule: str, *, in_channel: bool) -> tuple[Offer, ...]:
    """What may be done from a message: nobody is known in a channel, so nobody can say there that they still use it;
    there an extension says so."""
    found = kind_of(name).offers
    if found and rule == UNANSWERED:
        found = (KEEP, STOP)
    if in_channel and KEEP in found:
        return (*EXTEND, STOP)
    return tuple(one for one in found if one.act != "extend" or rule in EXTENDABLE)


def calls_off(name: str, rule: str) -> str:
    """What keeps the job from being stopped, as a sentence; empty where the message announces no stop."""
    if name not in ("job.warned", "job.reminded", "job.checkin", "job.rate_exceeded"):
        return ""
    rule = {"job.checkin": UNANSWERED, "job.rate_exceeded": "rate"}.get(name, rule)
    return CALLS_OFF.get(rule, "")
