"""A team's programs have accounts of their own, which stand in no list of people."""

import pytest
from django.urls import reverse

from dispersed_web.autostop.models import Hold
from dispersed_web.jobs import handover, removal
from dispersed_web.jobs.models import UnmanagedJob
from tests import factories as make
from tests.web.recipe_scenes import make_recipe

pytestmark = pytest.mark.django_db
NAME = "Nightly builds"


@pytest.fixture
def team(client):
    team = make.make_team()
    owner = make.make_member(team, "owner", make.make_user(name="Second Owner"))
    make.make_member(
        team, "admin", make.make_user("token-1@service.invalid", NAME, password=None, is_service=True)
    )
    make.sign_in(client, owner)
    return team


def test_no_list_of_people_names_a_program(client, team):
    job = make.make_job(team)
    recipe = make_recipe(team, make.owner_of(team), "Pictures")
    now = job.created_at
    row = UnmanagedJob.objects.create(
        credential=job.credential, remote_uuid="r-1", title="t", task="PERSISTENT", status="RUNNING",
        first_seen_at=now, seen_at=now,
    )  # fmt: skip
    hold = Hold.objects.create(team=team, kind="many_due", job_ids=[str(job.pk)], sentence="s", opened_at=now)
    pages = [
        ("team", ()),
        ("team-settings", ()),
        ("job-hand-over", (job.pk,)),
        ("recipe-hand-over", (recipe.pk,)),
        ("inventory-adopt", (row.pk,)),
        ("hold", (hold.pk,)),
        ("team-leave", ()),
    ]
    for name, more in pages:
        answer = client.get(reverse(f"web:{name}", args=[team.slug, *more]))
        assert answer.status_code == 200, name
        assert NAME not in answer.content.decode(), name


def test_no_program_takes_a_job(team):
    job = make.make_job(team)
    people = [*handover.candidates(job), *removal.heirs(team, job.owner)]
    assert {user.name for user in people} == {"Second Owner"}


def test_where_one_may_ask_for_what_a_program_did_it_is_told_from_people(client, team):
    for name in ("jobs", "team-events"):
        page = client.get(reverse(f"web:{name}", args=[team.slug])).content.decode()
        assert f">{NAME} (API token)</option>" in page, name
        assert page.index(">Second Owner</option>") < page.index(NAME), name
