"""Title, notes, tags, star and owner over the API."""

from __future__ import annotations

import pytest

from dispersed_web.events.models import Event
from dispersed_web.jobs import keeping
from dispersed_web.jobs.models import Job
from tests import factories
from tests.api.caller import Api, make_token
from tests.api.shape import check

pytestmark = pytest.mark.django_db
ONE = "/api/v1/jobs/{job_id}"


@pytest.fixture
def job(team):
    return factories.make_job(team, title="Dev box")


def at(job: Job, act: str = "") -> str:
    return f"/api/v1/jobs/{job.pk}{act}"


def stored(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_title_notes_and_tags_are_changed_at_once(api, job, document):
    body = {"title": "Sweep", "notes": "seed **7**", "tags": ["GPU", "night run"]}
    answer = check(document, "patch", ONE, api.patch(at(job), body))
    assert (answer["title"], answer["notes"], answer["tags"]) == ("Sweep", "seed **7**", ["gpu", "night run"])
    assert answer["notes_version"] == keeping.notes_version("seed **7**")
    kinds = list(Event.objects.filter(subject_type="job").order_by("id").values_list("kind", flat=True))
    assert kinds == ["job.renamed", "job.notes_changed", "job.tagged"]
    assert "by the API token" in Event.objects.filter(subject_type="job").earliest("id").sentence


def test_what_is_left_out_stays(api, job):
    api.patch(at(job), {"notes": "a", "tags": ["x"]})
    answer = api.patch(at(job), {"title": "Other"}).json()
    assert (answer["notes"], answer["tags"]) == ("a", ["x"])
    answer = api.patch(at(job), {"notes": "", "tags": []}).json()
    assert (answer["title"], answer["notes"], answer["tags"]) == ("Other", "", [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ""),
        ({"notes_version": "x"}, ""),
        ({"titel": "x"}, "titel"),
        ({"title": " "}, "title"),
        ({"title": "dw-x7k2-0123456789abcdef"}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"notes": "x" * 20_001}, "notes"),
        ({"tags": ["x" * 41]}, "tags"),
        ({"tags": [f"t{n}" for n in range(21)]}, "tags"),
        ({"tags": ["a,b"]}, "tags"),
        ({"tags": "a"}, "tags"),
    ],
)
def test_a_fault_changes_nothing(api, job, body, field, document):
    whole = ({"title": "New", "notes": "new"} | body) if field not in ("", "titel") else body
    answer = api.patch(at(job), whole)
    assert answer.status_code == 400, answer.content
    fields = check(document, "patch", ONE, answer)["error"]["fields"]
    assert {name.partition(".")[0] for name in fields} == ({field} if field else set())
    assert (stored(job).title, stored(job).notes) == ("Dev box", "")
    assert not Event.objects.filter(subject_type="job").exists()


def test_notes_that_somebody_changed_are_not_overwritten(api, job, document):
    seen = api.get(at(job)).json()["notes_version"]
    api.patch(at(job), {"notes": "theirs"})
    answer = api.patch(at(job), {"title": "Mine", "notes": "mine", "notes_version": seen})
    assert answer.status_code == 409
    assert check(document, "patch", ONE, answer)["error"]["code"] == "outdated"
    assert (stored(job).title, stored(job).notes) == ("Dev box", "theirs")


def test_a_job_is_handed_over(api, team, job, document):
    bob = factories.make_member(team, user=factories.make_user("bob@example.org", "Bob"))
    answer = check(
        document, "post", f"{ONE}/hand-over", api.post(at(job, "/hand-over"), {"to": "BOB@example.org"})
    )
    assert answer["owner"]["email"] == bob.email
    assert answer["launched_by"]["email"] == factories.owner_of(team).email


@pytest.mark.parametrize("who", ["stranger", "nobody", "viewer"])
def test_who_cannot_take_it_is_refused(api, team, job, who):
    to = factories.make_member(team, "viewer") if who == "viewer" else factories.make_user()
    email = "nobody@example.org" if who == "nobody" else to.email
    answer = api.post(at(job, "/hand-over"), {"to": email})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == ("cannot_own" if who == "viewer" else "no_member")
    assert list(answer.json()["error"]["fields"]) == ["to"]
    assert stored(job).owner == factories.owner_of(team)


def test_a_member_hands_over_their_own_alone(team, job):
    bob = factories.make_member(team)
    answer = Api(make_token(team, bob)).post(at(job, "/hand-over"), {"to": bob.email})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
    assert stored(job).owner == factories.owner_of(team)


def test_a_star_is_ones_own_and_narrows_the_list(api, team, job, document):
    factories.make_job(team, title="Other")
    assert check(document, "post", f"{ONE}/star", api.post(at(job, "/star"), {}))["starred"] is True
    listed = check(document, "get", "/api/v1/jobs", api.get("/api/v1/jobs", starred="true"))
    assert [(one["title"], one["starred"]) for one in listed["jobs"]] == [("Dev box", True)]
    bob = Api(make_token(team, factories.make_member(team)))
    assert bob.get(at(job)).json()["starred"] is False
    assert bob.get("/api/v1/jobs", starred="true").json()["jobs"] == []
    assert api.post(at(job, "/star"), {"starred": False}).json()["starred"] is False


def test_a_list_is_narrowed_to_a_tag(api, team, job):
    factories.make_job(team, title="Other")
    api.patch(at(job), {"tags": ["night run"]})
    jobs = api.get("/api/v1/jobs", tag="Night  run").json()["jobs"]
    assert [(one["title"], one["tags"], one["origin"]) for one in jobs] == [
        ("Dev box", ["night run"], "launched")
    ]


def test_a_list_costs_no_query_more_for_more_jobs(api, team, job, django_assert_max_num_queries):
    for _ in range(5):
        factories.make_job(team)
    with django_assert_max_num_queries(7):
        assert len(api.get("/api/v1/jobs").json()["jobs"]) == 6


def test_a_job_without_a_recipe_says_so(api, job):
    assert api.get(at(job)).json()["recipe"] is None
