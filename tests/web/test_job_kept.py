"""Title, owner, notes, tags and star of a job, changed from its page: with and without JavaScript, by who may."""

from __future__ import annotations

import html as escapes
import re
import uuid
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import keeping
from dispersed_web.jobs.models import Job, JobStar
from tests import factories as make

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
NAMES = ("job-rename", "job-hand-over", "job-notes", "job-tags", "job-star")
OPEN = {"job-rename", "job-hand-over", "job-notes"}


@pytest.fixture
def team(client):
    team = make.make_team(owner=make.make_user("ana@example.org", "Ana"))
    make.sign_in(client, make.owner_of(team))
    return team


@pytest.fixture
def job(team):
    return make.make_job(team, title="Dev box")


def at(job: Job, name: str) -> str:
    return reverse(f"web:{name}", args=[job.team.slug, job.pk])


def text(answer: Any) -> str:
    return escapes.unescape(answer.content.decode())


def stored(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


@pytest.mark.parametrize("name", NAMES)
def test_who_gets_in(client, job, name):
    methods = ("get", "post") if name in OPEN else ("post",)
    client.logout()
    for method in methods:
        assert getattr(client, method)(at(job, name))["Location"].startswith("/account/login/")
    make.sign_in(client, make.owner_of(make.make_team()))
    for method in methods:
        assert getattr(client, method)(at(job, name)).status_code == 404
    make.sign_in(client, make.make_member(job.team, "viewer"))
    for method in methods:
        answer = getattr(client, method)(at(job, name), {"title": "X", "notes": "X", "add": "x"})
        assert answer.status_code == (302 if name == "job-star" else 403)
    assert (stored(job).title, stored(job).notes, keeping.tags_of(job)) == ("Dev box", "", [])


@pytest.mark.parametrize("name", NAMES)
def test_another_teams_job_is_not_there(client, job, name):
    mine = make.make_team(owner=make.owner_of(job.team))
    for job_id in (job.pk, uuid.uuid4()):
        address = reverse(f"web:{name}", args=[mine.slug, job_id])
        assert client.post(address, {"title": "X"}).status_code == 404
    assert stored(job).title == "Dev box"


def test_the_page_has_all_of_it(client, job):
    keeping.set_notes(job, "**Seed** 7 <script>", seen=None, actor=make.LAUNCHER, now=timezone.now())
    keeping.set_tags(job, ["sweep 3/4"], actor=make.LAUNCHER, now=timezone.now())
    page = client.get(at(job, "job")).content.decode()
    assert "<strong>Seed</strong> 7 &lt;script&gt;" in page
    assert "?show=all&amp;tag=sweep%203%2F4" in page
    for words in (
        "Rename …",
        "Hand over …",
        "Edit the notes",
        "Remove the tag sweep 3/4",
        'aria-pressed="false"',
    ):
        assert words in page


def test_a_viewer_sees_it_and_is_offered_the_star_alone(client, job):
    keeping.set_tags(job, ["night"], actor=make.LAUNCHER, now=timezone.now())
    make.sign_in(client, make.make_member(job.team, "viewer"))
    page = client.get(at(job, "job")).content.decode()
    assert "night" in page
    assert "My favourite" in page
    for words in ("Rename …", "Hand over …", "Write notes", "Add a tag", "Remove the tag"):
        assert words not in page


def test_a_member_hands_over_their_own_jobs_only(client, job):
    bob = make.make_member(job.team)
    his = make.make_job(job.team, created_by=bob)
    make.sign_in(client, bob)
    assert "Hand over …" not in client.get(at(job, "job")).content.decode()
    assert client.get(at(job, "job-hand-over")).status_code == 403
    assert "Hand over …" in client.get(at(his, "job")).content.decode()
    ana = make.owner_of(job.team)
    assert client.post(at(his, "job-hand-over"), {"to": ana.pk}).status_code == 302
    assert stored(his).owner == ana


def test_renaming(client, job):
    assert 'value="Dev box"' in client.get(at(job, "job-rename")).content.decode()
    assert "keeps the title that it was launched with" in text(
        client.get(at(job, "job-rename"), headers=HTMX)
    )
    answer = client.post(at(job, "job-rename"), {"title": "Training"}, follow=True)
    assert "“Dev box” is called “Training” now." in text(answer)
    refused = client.post(at(job, "job-rename"), {"title": "dw-x7k2-0123456789abcdef"}, headers=HTMX)
    assert refused.status_code == 422
    assert 'value="dw-x7k2-0123456789abcdef"' in refused.content.decode()
    answer = client.post(at(job, "job-rename"), {"title": "Again"}, headers=HTMX)
    assert (answer.status_code, answer["HX-Refresh"], stored(job).title) == (204, "true", "Again")


def test_handing_over(client, job):
    bob = make.make_member(job.team, user=make.make_user("bob@example.org", "Bob"))
    viewer = make.make_member(job.team, "viewer")
    page = text(client.get(at(job, "job-hand-over"), headers=HTMX))
    assert "Bob (bob@example.org)" in page
    assert viewer.email not in page
    for wrong in ("", viewer.pk, make.make_user().pk, "x"):
        assert client.post(at(job, "job-hand-over"), {"to": wrong}).status_code == 422
    answer = client.post(at(job, "job-hand-over"), {"to": bob.pk}, follow=True)
    assert "“Dev box” belongs to Bob now" in text(answer)
    assert (stored(job).owner, stored(job).created_by) == (bob, make.owner_of(job.team))


def test_nobody_to_hand_it_to_is_said(client, job):
    assert "nobody who could take it" in text(client.get(at(job, "job-hand-over")))


def seen_in(answer: Any) -> str:
    return re.search(r'name="seen" value="(\w+)"', answer.content.decode())[1]


def test_notes_are_written_without_javascript(client, job):
    form = client.get(at(job, "job-notes"))
    assert "<h1" in form.content.decode()
    fields = {"notes": "  *seed* 7", "seen": seen_in(form)}
    assert "<em>seed</em> 7" in client.post(at(job, "job-notes"), fields, follow=True).content.decode()
    assert Event.objects.get().kind == "job.notes_changed"


def test_notes_are_written_in_place(client, job):
    form = client.get(at(job, "job-notes"), headers=HTMX)
    assert '<div id="job-notes" class="job-notes" data-keep><form' in form.content.decode()
    saved = client.post(at(job, "job-notes"), {"notes": "a", "seen": seen_in(form)}, headers=HTMX)
    assert '<div id="job-notes"' in saved.content.decode()
    left = client.get(at(job, "job-notes") + "?show=1", headers=HTMX)
    assert saved.content == left.content


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_who_comes_second_keeps_what_was_typed_and_sees_the_other(client, job, headers):
    seen = seen_in(client.get(at(job, "job-notes")))
    keeping.set_notes(job, "**theirs**", seen=None, actor=make.LAUNCHER, now=timezone.now())
    answer = client.post(at(job, "job-notes"), {"notes": "mine", "seen": seen}, headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "<strong>theirs</strong>" in page
    assert "\nmine</textarea>" in page
    assert stored(job).notes == "**theirs**"
    client.post(at(job, "job-notes"), {"notes": "both", "seen": seen_in(answer)}, headers=headers)
    assert stored(job).notes == "both"


def test_a_form_without_what_was_seen_overwrites_nothing(client, job):
    keeping.set_notes(job, "theirs", seen=None, actor=make.LAUNCHER, now=timezone.now())
    assert client.post(at(job, "job-notes"), {"notes": "mine"}).status_code == 422
    assert stored(job).notes == "theirs"


def test_notes_that_are_too_long_stay_in_the_form(client, job):
    fields = {"notes": "x" * 20_001, "seen": keeping.notes_version("")}
    answer = client.post(at(job, "job-notes"), fields)
    assert answer.status_code == 422
    assert "x" * 20_001 in answer.content.decode()


def test_tags_come_and_go(client, job):
    client.post(at(job, "job-tags"), {"add": "GPU, night run"})
    part = client.post(at(job, "job-tags"), {"remove": "gpu"}, headers=HTMX)
    assert 'id="job-tags"' in part.content.decode()
    assert keeping.tags_of(job) == ["night run"]
    refused = client.post(at(job, "job-tags"), {"add": "x" * 41}, headers=HTMX)
    assert refused.status_code == 422
    assert 'value="' + "x" * 41 in refused.content.decode()
    answer = client.post(at(job, "job-tags"), {"add": "x" * 41}, follow=True)
    assert "at most 40 characters" in text(answer)
    assert keeping.tags_of(job) == ["night run"]


def test_the_teams_tags_are_suggested(client, job):
    other = make.make_job(job.team)
    keeping.set_tags(other, ["from another"], actor=Actor.person(make.owner_of(job.team)), now=timezone.now())
    assert '<option value="from another">' in client.get(at(job, "job")).content.decode()


def test_a_star_is_set_and_taken_back(client, job):
    part = client.post(at(job, "job-star"), {"starred": "1"}, headers=HTMX).content.decode()
    assert 'aria-pressed="true"' in part
    assert JobStar.objects.get().user == make.owner_of(job.team)
    assert 'aria-pressed="true"' in client.get(at(job, "job")).content.decode()
    client.post(at(job, "job-star"), {"starred": "1"})
    client.post(at(job, "job-star"), {"starred": "0"})
    assert not JobStar.objects.exists()
    assert not Event.objects.exists()


def test_a_live_page_leaves_notes_that_are_being_written_alone(client, job):
    """The part that is fetched again and again has the notes under the same id as their form, which is kept."""
    part = client.get(at(job, "job"), headers=HTMX).content.decode()
    assert part.count('id="job-notes"') == 1
    assert 'id="job-star"' not in part
