"""Auto-stop by the API: the verdict with its evidence, and what people say of a job."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import AutostopPolicy
from tests import factories
from tests.api.caller import Api, launch_body, make_token, token_of_role
from tests.api.shape import check
from tests.autostop.watched import MINUTE, beats, make_job, see

pytestmark = pytest.mark.django_db
ONE = "/api/v1/jobs/{job_id}"


def at(job: Job, act: str = "") -> str:
    return f"/api/v1/jobs/{job.pk}{f'/{act}' if act else ''}"


@pytest.fixture
def job() -> Job:
    """RUNNING for an hour and a half; its heartbeat has been quiet for half an hour."""
    now = timezone.now()  # the time of this test: what is older than minutes proves nothing
    made = make_job(running_at=now - 90 * MINUTE)
    beats(made, now - 40 * MINUTE, now - 31 * MINUTE, gpu=88)
    beats(made, now - 30 * MINUTE, now)
    see(made, now)
    return made


@pytest.fixture
def api(job: Job) -> Api:
    return Api(make_token(job.team))


def test_a_verdict_names_its_evidence(api, job, document):
    body = check(document, "get", ONE, api.get(at(job)))
    verdict = body["verdict"]
    assert (verdict["state"], verdict["confidence"], verdict["rule"]) == ("quiet", "high", "idle")
    assert verdict["idle_limit_s"] == 3600
    assert verdict["last_active"]["value"] == "88 %"
    gpu = next(one for one in verdict["evidence"] if one["signal"] == "gpu")
    assert (gpu["state"], gpu["value"]) == ("quiet", "≤ 88 %") or gpu["value"] == "0 %"
    assert verdict["sentence"].startswith("Idle for 3")


def test_in_use_answers_a_check_in(api, job, document):
    body = check(document, "post", f"{ONE}/in-use", api.post(at(job, "in-use"), {}))
    assert body["verdict"]["state"] == "active"
    assert body["limits"]["confirmed_at"] is not None
    assert Event.objects.get(kind="job.in_use").actor_kind == "token"


def test_a_protection_needs_a_reason_and_has_an_end(api, job, document):
    until = (timezone.now() + dt.timedelta(hours=70)).isoformat()
    body = check(
        document,
        "post",
        f"{ONE}/protect",
        api.post(at(job, "protect"), {"until": until, "reason": "A  demo"}),
    )
    assert (body["verdict"]["state"], body["limits"]["protected_reason"]) == ("protected", "A demo")
    body = check(document, "post", f"{ONE}/unprotect", api.post(at(job, "unprotect"), {}))
    assert body["limits"]["protected_until"] is None
    answer = api.post(at(job, "unprotect"), {})
    assert check(document, "post", f"{ONE}/unprotect", answer)["error"]["code"] == "not_protected"


@pytest.mark.parametrize(
    ("hours", "role", "scope", "status"),
    [
        (70, "member", "operate", 200),
        (74, "member", "operate", 400),
        (74, "admin", "operate", 400),
        (74, "admin", "admin", 200),
        (340, "admin", "admin", 400),
    ],
)
def test_how_long_a_protection_may_be(job, hours, role, scope, status):
    api = Api(make_token(job.team, factories.make_member(job.team, role), scope))
    until = (timezone.now() + dt.timedelta(hours=hours)).isoformat()
    answer = api.post(at(job, "protect"), {"until": until, "reason": "A demo"})
    assert answer.status_code == status


@pytest.mark.parametrize(
    "body", [{}, {"reason": "x"}, {"until": "2030-01-01T00:00:00Z"}, {"until": "x", "reason": ""}]
)
def test_half_a_protection_is_none(api, job, body):
    assert api.post(at(job, "protect"), body).status_code == 400
    assert Job.objects.get(pk=job.pk).protected_until is None


def test_a_price_above_the_cap_is_accepted(api, job, document):
    answer = api.post(at(job, "accept-rate"), {})
    assert check(document, "post", f"{ONE}/accept-rate", answer)["error"]["code"] == "nothing_to_accept"
    Job.objects.filter(pk=job.pk).update(rate_exceeded_at=timezone.now(), rate_cap_usd=Decimal("0.5"))
    assert api.get(at(job)).json()["verdict"]["rule"] == "rate"
    body = check(document, "post", f"{ONE}/accept-rate", api.post(at(job, "accept-rate"), {}))
    assert body["verdict"]["rule"] == "idle"


def test_a_stop_tells_what_it_was_decided_on(api, job, document):
    evidence = [
        {
            "signal": "gpu",
            "state": "quiet",
            "value": "≤ 1 %",
            "observed_at": timezone.now().isoformat(),
            "since": None,
        }
    ]
    Job.objects.filter(pk=job.pk).update(
        stop_requested_at=timezone.now(),
        stop_reason="idle",
        stop_evidence={
            "sentence": "Idle for 1 h of 1 h.",
            "evidence": [one | {"samples": 5} for one in evidence],
        },
    )
    body = check(document, "get", ONE, api.get(at(job)))
    assert body["stop"]["because"] == "Idle for 1 h of 1 h."
    assert body["stop"]["evidence"][0]["value"] == "≤ 1 %"


def test_a_launch_may_choose_inside_the_teams_bounds(sandbox):
    team = factories.make_team()
    credential = factories.make_credential(team, sandbox)
    api = Api(make_token(team))
    chosen = {"idle_limit_s": 1800, "checkin_every_s": 3600, "uses_logs": True, "log_noise": ["GET /health"]}
    chosen |= {"budget_usd": "12.50", "rate_cap_usd": "1.20"}
    body = launch_body(credential, task="PERSISTENT", max_timeout_run_ms=None) | chosen
    answer = api.launch(body)
    assert answer.status_code == 201, answer.content
    job = Job.objects.get()
    assert (job.idle_limit_s, job.checkin_every_s, job.uses_logs) == (1800, 3600, True)
    assert (job.log_noise, job.budget_usd, job.rate_cap_usd) == (
        ["GET /health"],
        Decimal("12.50"),
        Decimal("1.20"),
    )
    answer = api.launch(body | {"idle_limit_s": 999_999})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["idle_limit_s"])


POLICY, REPLAY = "/api/v1/autostop", "/api/v1/autostop/replay"
EVENING = {"zone": "Europe/Berlin", "stops": [{"weekdays": [0, 4], "at": "20:00"}]}


def of_role(job: Job, role: str, scope: str = "admin") -> Api:
    return Api(token_of_role(job.team, role, scope))


def test_the_policy_is_told_to_every_member(job, document):
    body = check(document, "get", POLICY, of_role(job, "member", "read").get(POLICY))
    assert (body["mode"], body["high_idle_s"], body["version"]) == ("enforce", 3600, 1)


def test_an_admin_changes_it_and_running_jobs_are_looked_at_anew(job, document):
    admin = of_role(job, "admin")
    change = {
        "version": 1,
        "high_idle_s": 1800,
        "schedule": EVENING,
        "mode": "observe",
        "observe_until": None,
    }
    body = check(document, "post", POLICY, admin.post(POLICY, change))
    assert (body["version"], body["high_idle_s"], body["schedule"]) == (2, 1800, EVENING)
    assert Event.objects.get(kind="team.autostop_changed").actor_kind == "token"
    assert Job.objects.get(pk=job.pk).limits_version == job.limits_version + 1
    answer = admin.post(POLICY, {"version": 1, "high_idle_s": 600})
    assert check(document, "post", POLICY, answer)["error"]["code"] == "outdated"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["version"]),
        ({"version": 1}, []),
        ({"version": 1, "high_idle_s": 0}, ["high_idle_s"]),
        ({"version": 1, "high_idle": 60}, ["high_idle"]),
        (
            {"version": 1, "schedule": {"zone": "Mars", "stops": [{"weekdays": [0], "at": "20:00"}]}},
            ["schedule"],
        ),
        ({"version": 1, "schedule": {"zone": "UTC", "stops": []}}, ["schedule"]),
        ({"version": 1, "observe_until": "2030-01-01T00:00:00"}, ["observe_until"]),
    ],
    ids=str,
)
def test_a_policy_that_does_not_fit_is_refused_by_name(job, body, fields):
    answer = of_role(job, "owner").post(POLICY, body)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, fields)


def test_one_word_enforces(job):
    AutostopPolicy.objects.update(mode="observe", observe_until=timezone.now() + dt.timedelta(days=7))
    body = of_role(job, "admin").post(POLICY, {"version": 1, "mode": "enforce"}).json()
    assert (body["mode"], body["observe_until"]) == ("enforce", None)


def test_who_may_not_change_it(job):
    body = {"version": 1, "high_idle_s": 1800}
    assert of_role(job, "member").post(POLICY, body).status_code == 403
    assert of_role(job, "admin", "read").post(POLICY, body).status_code == 403
    assert of_role(job, "admin").post(POLICY, {"version": 1, "team_day_usd": "5"}).status_code == 200
    raised = of_role(job, "admin").post(POLICY, {"version": 2, "team_day_usd": None})
    assert (raised.status_code, raised.json()["error"]["code"]) == (403, "not_allowed")


def test_a_draft_is_tried_on_the_past_and_not_saved(job, document):
    beats(job, timezone.now() - 89 * MINUTE, timezone.now() - 50 * MINUTE)
    draft = {"high_idle_s": 1200, "high_lead_s": 300}
    body = check(document, "post", REPLAY, of_role(job, "member", "read").post(REPLAY, draft))
    assert body["totals"]["runs"] == 1
    assert body["stops"][0]["job_id"] == str(job.pk)
    assert [one["idle_limit_s"] for one in body["by_limit"]] == [1800, 3600, 5400, 7200]
    assert of_role(job, "member").get(POLICY).json()["high_idle_s"] == 3600
