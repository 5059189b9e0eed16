"""The measures fill the database by the product's own functions, and nobody runs them daily."""

from __future__ import annotations

import pytest

from bench import seed
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import Membership
from tests import factories


@pytest.mark.django_db
def test_the_product_still_takes_what_the_measures_give_it():
    team = factories.make_team()
    key = (
        seed.credential_id(team.slug)
        if team.credentials.exists()
        else str(factories.make_credential(team).pk)
    )

    assert len(seed.people(team.slug, 2)) == 2
    assert len(set(seed.tokens(team.slug, 2)) | {seed.token(team.slug)}) == 3
    assert len(seed.beating(team.slug, 2)) == 2
    assert len(seed.launched(team.slug, key, ["a", "b"], [2e9, 2e9])) == 2
    assert Job.objects.get(pk=seed.long_log(team.slug, key, 5)).status == "QUEUED"
    seed.watched("watched", 2)
    seed.rest("watched")

    assert Job.objects.filter(team__slug="watched", status="RUNNING").count() == 2
    assert Membership.objects.filter(team=team).count() == 5
