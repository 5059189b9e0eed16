"""A team that needs a second factor does not answer the tokens of people without one."""

import pytest

from dispersed_web.teams.models import ApiToken
from tests import factories as make
from tests.api.caller import Api, make_service_token, make_token

pytestmark = pytest.mark.django_db


def test_a_personal_token_waits_for_the_second_factor_of_its_person():
    team = make.make_team(require_mfa=True)
    api = Api(make_token(team))
    answer = api.get("/api/v1/jobs")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "mfa_required")
    assert ApiToken.objects.get().last_used_at is None
    make.give_second_factor(make.owner_of(team))
    assert api.get("/api/v1/jobs").status_code == 200


def test_a_service_token_is_exempt():
    team = make.make_team(require_mfa=True)
    assert Api(make_service_token(team)).get("/api/v1/jobs").status_code == 200
