"""The list of first steps on a team's home page: what somebody new, or a new team, has still to do."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from dispersed_web.accounts import second_factor
from dispersed_web.accounts.models import SshKey, User
from dispersed_web.credentials.models import Credential
from dispersed_web.jobs.models import Job
from dispersed_web.notifications.models import Channel
from dispersed_web.teams.models import Invitation, Membership, Team
from dispersed_web.teams.roles import Action
from dispersed_web.web.access import Seat


@dataclass(frozen=True)
class Step:
    """One line of the list; without ``url`` somebody else takes it, or it must wait."""

    title: str
    text: str
    done: bool
    url: str = ""
    action: str = ""
    waits: str = ""


@dataclass(frozen=True)
class FirstSteps:
    """``credential``: whether the team has one at all."""

    credential: bool
    rows: tuple[Step, ...]
    hidden: bool

    @property
    def done(self) -> bool:
        return all(row.done for row in self.rows)

    @property
    def taken(self) -> int:
        return sum(row.done for row in self.rows)

    @property
    def next(self) -> Step | None:
        """The first that this person can take."""
        return next((row for row in self.rows if row.url and not row.done), None)

    @property
    def shown(self) -> bool:
        return bool(self.rows) and not self.hidden and not self.done


def of(seat: Seat, user: User) -> FirstSteps:
    """What this person sees, in one query."""
    team = OuterRef("pk")
    open_invitations = Invitation.objects.filter(team=team, revoked_at=None)
    others = Membership.objects.filter(team=team, user__is_service=False).exclude(user=user.pk)
    facts = (
        Team.objects.filter(pk=seat.team.pk)
        .values(
            has_credential=Exists(Credential.objects.filter(team=team)),
            has_job=Exists(Job.objects.filter(team=team)),
            has_channel=Exists(Channel.objects.filter(team=team)),
            has_others=Q(Exists(others)) | Q(Exists(open_invitations)),
            has_ssh_key=Exists(SshKey.objects.filter(user=user.pk, is_default=True)),
            has_factor=Exists(second_factor.of(user.pk)),
        )
        .get()
    )
    rows = _rows(seat, facts) if seat.may(Action.LAUNCH) else ()
    return FirstSteps(facts["has_credential"], rows, user.hides_first_steps)


def _rows(seat: Seat, facts: dict[str, bool]) -> tuple[Step, ...]:
    manages, slug = seat.may(Action.MANAGE_CREDENTIALS), seat.team.slug
    add = reverse("web:credential-add", args=[slug]) if manages else ""
    launch = reverse("web:launch", args=[slug]) if facts["has_credential"] else ""
    rows = [
        Step(
            "Add a credential",
            "A key of your Dispersed account. The team launches with it, and nobody can read it.",
            facts["has_credential"],
            add,
            "Add a credential",
            "" if manages else "An admin does this",
        ),
        Step(
            "Store your SSH key",
            "The public half. Jobs that you connect to get it at launch.",
            facts["has_ssh_key"],
            f"{reverse('web:me')}#ssh-key",
            "Store it",
        ),
    ]
    if manages:
        rows += _of_managers(slug, facts)
    elif facts["has_credential"]:
        rows = rows[1:]  # somebody did it, and it is nothing to this person
    launched = "It is stopped when nobody uses it or its lifetime ends, after a warning."
    return (*rows, Step("Launch the first job", launched, facts["has_job"], launch, "Launch"))


def _of_managers(slug: str, facts: dict[str, bool]) -> list[Step]:
    return [
        Step(
            "Set up a second factor",
            "You can change keys and members. A password alone should not be enough for that.",
            facts["has_factor"],
            reverse("mfa_index"),
            "Set it up",
        ),
        Step(
            "Choose a channel for notices",
            "A webhook of Slack, Discord or your own, beside the e-mails to the owner of a job.",
            facts["has_channel"],
            reverse("web:team-notices", args=[slug]),
            "Choose",
        ),
        Step(
            "Invite somebody",
            "Colleagues launch with the team's keys without ever seeing them.",
            facts["has_others"],
            reverse("web:team", args=[slug]),
            "Invite",
        ),
    ]
