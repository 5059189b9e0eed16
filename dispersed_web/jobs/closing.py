"""What a team leaves behind when it is deleted: first nothing that still runs, then no secret."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from dispersed_web.credentials.models import Credential, CredentialState, TeamSecret
from dispersed_web.jobs.departed import LOST
from dispersed_web.jobs.models import ENDED, CalendarFeed, Job, JobRun, UnmanagedJob
from dispersed_web.jobs.states import IN_DOUBT
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import Team

_OF_OTHERS = (UnmanagedJob.Source.OTHER_TEAM, UnmanagedJob.Source.OTHER_INSTALLATION)


@dataclass(frozen=True)
class Left:
    """What still runs or may run: jobs, of them launches in doubt, and jobs on the team's keys that were not launched
    here and are not ignored. Without the team nobody could stop them any more."""

    jobs: int
    in_doubt: int
    found: int

    @property
    def nothing(self) -> bool:
        return not (self.jobs or self.found)


def left(team: Team) -> Left:
    """What keeps the team from being deleted. An end that a stop was asked for counts when it was seen twice."""
    unsure = Q(status__in=ENDED, stop_next_at__isnull=False)
    active = Job.objects.filter(~Q(status__in=ENDED) | unsure, team=team)
    doubtful = Q(status__in=IN_DOUBT) | unsure
    found = UnmanagedJob.objects.filter(credential__team=team, ignored_at=None).exclude(status=LOST)
    return Left(
        jobs=active.count(),
        in_doubt=active.filter(doubtful).count(),
        found=found.exclude(source__in=_OF_OTHERS).count(),
    )


def need_nothing_left(team: Team) -> None:
    """Raises :class:`TeamRefused` while something of the team still runs."""
    found = left(team)
    if not found.nothing:
        raise TeamRefused("still_runs", sentence(found))


def sentence(found: Left) -> str:
    """Why the team cannot be deleted now, and what to do."""
    parts = []
    if found.jobs:
        word = "job has" if found.jobs == 1 else "jobs have"
        doubt = f" ({found.in_doubt} of them in doubt)" if found.in_doubt else ""
        parts.append(f"{found.jobs} {word} not ended{doubt}")
    if found.found:
        word = "job that was" if found.found == 1 else "jobs that were"
        parts.append(f"{found.found} {word} not launched here runs on its keys")
    return f"The team cannot be deleted: {' and '.join(parts)}. Stop them first."


def let_go(team: Team) -> None:
    """Destroys the team's secrets and ends its calendar's addresses. Before the team's row, which everybody locks last."""
    Job.objects.filter(team=team).exclude(spec_secrets_sealed="").update(spec_secrets_sealed="")
    JobRun.objects.filter(job__team=team).exclude(access_tokens_sealed="").update(access_tokens_sealed="")
    keys = Credential.objects.filter(team=team).exclude(state=CredentialState.GONE)
    keys.update(state=CredentialState.GONE, secret_sealed="", sync_due_at=None)
    TeamSecret.objects.filter(team=team).delete()
    CalendarFeed.objects.filter(team=team).delete()
