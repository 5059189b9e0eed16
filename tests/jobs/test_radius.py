"""Who may launch with a credential: its page counts programs as tokens, and each token in the role that its scope leaves."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from dispersed_web.credentials.blast import Named
from dispersed_web.credentials.models import UsableBy
from dispersed_web.events.record import Actor
from dispersed_web.jobs import radius
from dispersed_web.jobs.models import Job, Preset
from dispersed_web.teams import api_tokens
from dispersed_web.teams.keeping import OPERATOR
from tests import factories as make

pytestmark = pytest.mark.django_db
TERMS = {"lifetime": dt.timedelta(days=9)}


@pytest.fixture
def credential():
    return make.make_credential(make.make_team(owner=make.make_user(name="Olga")))


@pytest.fixture
def programs(credential):
    now, team = timezone.now(), credential.team
    for scope in ("read", "operate", "admin"):
        owner = make.owner_of(team)
        by = {"actor": Actor.person(owner), "now": now}
        api_tokens.create(team, owner, name=f"olga {scope}", scope=scope, **TERMS, **by)
        api_tokens.create_service(team, name=f"robot {scope}", scope=scope, **TERMS, actor=OPERATOR, now=now)


@pytest.mark.parametrize(
    ("usable_by", "scopes"),
    [(UsableBy.MEMBERS, ("admin", "operate")), (UsableBy.ADMINS, ("admin",))],
)
def test_programs_are_tokens_and_no_members(credential, programs, usable_by, scopes):
    type(credential).objects.update(usable_by=usable_by)
    credential.refresh_from_db()
    found = radius.of(credential, timezone.now())
    assert found.members == ("Olga",)
    assert found.tokens == (
        *(Named(f"olga {scope}", "Olga") for scope in scopes),
        *(Named(f"robot {scope}") for scope in scopes),
    )


def test_what_a_program_has_is_told_from_what_people_have(credential, programs):
    robot = api_tokens.ApiToken.objects.get(name="robot operate").user
    Preset.objects.create(
        user=robot, team=credential.team, name="p", values={"credential": str(credential.pk)}
    )
    make.make_job(credential.team, credential=credential)
    Job.objects.update(owner=robot)
    found = radius.of(credential, timezone.now())
    assert [one.whose for one in found.presets] == ["robot operate (API token)"]
    assert [one.owner for one in found.running] == ["robot operate (API token)"]
