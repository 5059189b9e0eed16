"""The policy of one job: what cannot be read lifts nothing else."""

from __future__ import annotations

import pytest

from dispersed_web.autostop import facts
from dispersed_web.teams.models import AutostopPolicy
from tests.autostop.watched import MINUTE, NOW, make_job, make_team

pytestmark = pytest.mark.django_db
GONE = {"zone": "Europe/Atlantis", "stops": [{"weekdays": [0, 1, 2, 3, 4, 5, 6], "at": "18:00"}]}


def test_without_its_schedule_the_rest_of_the_policy_holds() -> None:
    job = make_job(make_team(schedule=GONE, high_idle_s=1800, high_lead_s=300))
    rules, _ = facts.of(job, NOW)
    assert (rules.schedule, rules.high.limit, rules.observes) == (None, 30 * MINUTE, False)


def test_no_warning_at_all_means_the_usual_one() -> None:
    job = make_job(make_team(), warn_lead_s=0)
    assert facts.of(job, NOW)[0].warn_lead == 15 * MINUTE


def test_with_a_contradiction_nothing_is_stopped_for_idleness() -> None:
    team = make_team()
    AutostopPolicy.objects.filter(pk=team.pk).update(high_lead_s=0)
    rules, _ = facts.of(make_job(team), NOW)
    assert rules.is_observing(NOW)
