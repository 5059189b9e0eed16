"""The team's people over the API: who they are, their roles, and taking somebody out with their jobs decided on."""

from __future__ import annotations

import uuid

import pytest

from dispersed_web import tasks
from dispersed_web.api import throttling
from dispersed_web.events.models import Event
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import ApiToken, Membership
from tests import factories
from tests.api.caller import Api, make_service_token, make_token, token_of_role
from tests.api.shape import check

pytestmark = pytest.mark.django_db
LIST, ONE = "/api/v1/members", "/api/v1/members/{membership_id}"


@pytest.fixture
def bob(team):
    return factories.make_member(team, user=factories.make_user("bob@example.org", "Bob"))


@pytest.fixture
def admin(team):
    return Api(make_token(team, factories.make_member(team, "admin"), "admin"))


def path(team, user) -> str:
    return f"{LIST}/{Membership.objects.get(team=team, user=user).pk}"


def remove(api, team, user, body=None):
    return api.post(f"{path(team, user)}/remove", {} if body is None else body)


def code(answer) -> str:
    return answer.json()["error"]["code"]


def is_in(team, user) -> bool:
    return Membership.objects.filter(team=team, user=user).exists()


def test_everybody_in_the_team_sees_its_people_and_no_programs(team, bob, document):
    make_service_token(team)
    factories.make_member(factories.make_team())
    body = check(document, "get", LIST, Api(make_token(team, bob, "read")).get(LIST))
    assert [(one["email"], one["role"], one["is_me"]) for one in body["members"]] == [
        (factories.owner_of(team).email, "owner", False),
        ("bob@example.org", "member", True),
    ]


def test_a_member_is_shown_with_what_they_would_leave(team, admin, bob, document):
    job = factories.make_job(team, owner=bob)
    factories.make_member(team, "viewer")
    body = check(document, "get", ONE, admin.get(path(team, bob)))
    assert [one["id"] for one in body["running_jobs"]] == [str(job.pk)]
    assert len(body["heirs"]) == 2
    assert "bob@example.org" not in [one["email"] for one in body["heirs"]]


def test_a_role_is_changed_up_to_admin(team, admin, bob, document):
    body = check(document, "patch", ONE, admin.patch(path(team, bob), {"role": "admin"}))
    assert (body["role"], body["name"]) == ("admin", "Bob")
    event = Event.objects.get(kind="member.role_changed")
    assert (event.actor_kind, event.audience) == ("token", "owners")
    assert admin.patch(path(team, bob), {"role": "admin"}).status_code == 200
    assert Event.objects.filter(kind="member.role_changed").count() == 1


@pytest.mark.parametrize("maker", ["owner", "admin"])
def test_no_token_makes_changes_or_removes_an_owner(team, bob, maker, document):
    api = Api(make_token(team, factories.make_member(team, maker), "admin"))
    raised = api.patch(path(team, bob), {"role": "owner"})
    assert code(raised) == "not_by_token"
    check(document, "patch", ONE, raised)
    owner = factories.owner_of(team)
    assert code(api.patch(path(team, owner), {"role": "viewer"})) == "not_by_token"
    assert code(remove(api, team, owner)) == "not_by_token"
    assert set(Membership.objects.filter(user__in=[bob, owner]).values_list("role", flat=True)) == {
        "owner",
        "member",
    }


def test_somebody_without_jobs_is_out_at_once_with_their_tokens(team, admin, bob, document):
    theirs = Api(make_token(team, bob))
    body = check(document, "post", f"{ONE}/remove", remove(admin, team, bob))
    assert (body["member"]["email"], body["handed_over"], body["stopping"]) == ("bob@example.org", 0, [])
    assert not is_in(team, bob)
    assert theirs.get("/api/v1/me").status_code == 401


def test_each_running_job_is_decided_on_first(team, admin, bob, nudges, document):
    jobs = [factories.make_job(team, owner=bob) for _ in range(3)]
    address = path(team, bob)
    answer = admin.post(f"{address}/remove", {"jobs": [{"job_id": str(jobs[0].pk), "decision": "stop"}]})
    assert (answer.status_code, code(answer)) == (409, "undecided")
    assert "2 running jobs" in answer.json()["error"]["message"]
    assert is_in(team, bob)
    assert not Job.objects.exclude(stop_requested_at=None).exists()

    heir = factories.owner_of(team)
    kept = {"job_id": str(jobs[0].pk), "decision": "hand_over", "to": heir.email.upper()}
    answer = admin.post(f"{address}/remove", {"jobs": [kept], "others": {"decision": "stop"}})
    body = check(document, "post", f"{ONE}/remove", answer)
    assert body["handed_over"] == 1
    stopped = {str(job.pk) for job in jobs[1:]}
    assert set(body["stopping"]) == stopped
    assert Job.objects.get(pk=jobs[0].pk).owner == heir
    assert {str(pk) for task, pk in nudges if task == tasks.pursue_stop} == stopped
    assert not is_in(team, bob)


def test_keys_that_they_may_have_kept_are_named(team, admin, bob):
    factories.make_credential(team, name="Lab key", created_by=bob)
    assert remove(admin, team, bob).json()["may_know"] == ["Lab key"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"jobs": [{"job_id": "THEIRS", "decision": "hand_over"}]}, "jobs.0.to"),
        ({"jobs": [{"job_id": "THEIRS", "decision": "stop", "to": "a@example.org"}]}, "jobs.0.to"),
        ({"jobs": [{"job_id": "THEIRS", "decision": "hand_over", "to": "bob@example.org"}]}, "jobs.0.to"),
        ({"jobs": [{"job_id": "THEIRS", "decision": "keep"}]}, "jobs.0.decision"),
        ({"jobs": [{"job_id": "THEIRS", "decision": "stop"}] * 2}, "jobs"),
        ({"jobs": [{"job_id": "NONE", "decision": "stop"}]}, "jobs.0.job_id"),
        ({"jobs": [{"job_id": "OTHERS", "decision": "stop"}]}, "jobs.0.job_id"),
        ({"others": {"decision": "hand_over", "to": "viewer@example.org"}}, "others.to"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_done_with_a_job_changes_nothing(team, admin, bob, body, field):
    factories.make_member(team, "viewer", factories.make_user("viewer@example.org"))
    ids = {"THEIRS": factories.make_job(team, owner=bob).pk, "OTHERS": factories.make_job(team).pk}
    for one in body.get("jobs", ()):
        one["job_id"] = str(ids.get(one["job_id"], uuid.uuid4())) if len(one["job_id"]) < 9 else one["job_id"]
    answer = remove(admin, team, bob, body)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])
    assert is_in(team, bob)
    assert not Job.objects.exclude(stop_requested_at=None).exists()


def test_a_token_takes_its_own_person_not_out(team):
    user = factories.make_member(team, "admin")
    answer = remove(Api(make_token(team, user, "admin")), team, user)
    assert (answer.status_code, code(answer)) == (409, "is_you")
    assert is_in(team, user)


@pytest.mark.parametrize("token", ["member.admin", "admin.operate", "owner.read"])
def test_role_and_scope_must_both_be_an_admins(team, bob, token):
    role, scope = token.split(".")
    api = Api(token_of_role(team, role, scope))
    throttling.window.forget()
    for answer in (
        api.get(path(team, bob)),
        api.patch(path(team, bob), {"role": "viewer"}),
        remove(api, team, bob),
    ):
        assert answer.status_code == 403
    assert Membership.objects.get(user=bob).role == "member"


def test_another_teams_member_and_a_program_answer_like_none(team, admin):
    other = factories.make_team()
    make_service_token(team)
    program = Membership.objects.get(user=ApiToken.objects.get(user__is_service=True).user)
    stranger = Membership.objects.get(user=factories.make_member(other))
    paths = [f"{LIST}/{pk}" for pk in (program.pk, stranger.pk, 987_654, 2**70)]
    for answers in (
        {admin.get(one).content for one in paths},
        {admin.patch(one, {"role": "viewer"}).content for one in paths},
        {admin.post(f"{one}/remove", {}).content for one in paths},
    ):
        assert len(answers) == 1
        assert b"not_found" in next(iter(answers))
