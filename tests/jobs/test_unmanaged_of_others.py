"""Two teams with keys of one account: each sees that the other's jobs cost money, and nothing else of them."""

from __future__ import annotations

from dispersed_web.credentials.clients import client_for
from dispersed_web.jobs import strangers
from dispersed_web.jobs.models import UnmanagedJob
from tests import factories
from tests.jobs.world import World


def test_the_title_of_another_teams_job_is_not_told(world: World) -> None:
    job = world.launched()
    with client_for(world.credential, team_id=world.team.pk) as client:
        remote = client.get_job(job.remote_uuid or "")
    theirs = factories.make_credential(factories.make_team(), world.sandbox)
    assert strangers.sort(theirs, [remote], {}, world.clock.now)
    row = UnmanagedJob.objects.get()
    assert (row.credential, row.remote_uuid) == (theirs, job.remote_uuid)
    assert row.title == "A job of another team"


def test_the_title_of_a_job_from_elsewhere_is_told(world: World) -> None:
    job = world.launched()
    with client_for(world.credential, team_id=world.team.pk) as client:
        remote = client.get_job(job.remote_uuid or "")
    job.delete()
    assert strangers.sort(world.credential, [remote], {}, world.clock.now)
    assert UnmanagedJob.objects.get().title == remote.title
