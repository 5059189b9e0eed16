"""What people keep with a job: title, notes, tags, stars."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import keeping, launch, specs
from dispersed_web.jobs.errors import FormAlreadyUsed, JobError, LaunchRefused
from dispersed_web.jobs.launch import Order
from dispersed_web.jobs.models import Job, JobStar, JobTag
from dispersed_web.teams.models import Team
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def job():
    return make.make_job(make.make_team(), title="Dev box")


def who(job: Job) -> dict:
    return {"actor": Actor.person(make.owner_of(job.team)), "now": timezone.now()}


def kinds(job: Job) -> list[str]:
    return list(Event.objects.filter(subject_id=str(job.pk)).order_by("id").values_list("kind", flat=True))


def version(job: Job) -> int:
    return Team.objects.get(pk=job.team_id).version


def test_a_job_is_renamed_here_and_the_cloud_keeps_its_title(job):
    before = version(job)
    assert keeping.rename(job, "  Training  ", **who(job))
    job.refresh_from_db()
    assert job.title == "Training"
    assert keeping.launch_title(job) == "Dev box"
    assert kinds(job) == ["job.renamed"]
    assert "“Dev box” to “Training”" in Event.objects.get().sentence
    assert version(job) == before + 1
    assert not keeping.rename(job, "Training", **who(job))
    assert version(job) == before + 1


@pytest.mark.parametrize(
    "title",
    ["", "   ", "x" * 121, "two\nlines", "a\u202eb", "Mine dw-x7k2-0123456789abcdef", "a\0b", "\ud800"],
)
def test_a_title_that_no_launch_takes_is_refused(job, title):
    with pytest.raises(JobError) as refused:
        keeping.rename(job, title, **who(job))
    assert refused.value.field == "title"
    assert kinds(job) == []


def order(title: str, **fields) -> Order:
    return Order(title, make.make_spec(title=title), frozenset(), 3600, **fields)


def asked(team: Team, wanted: Order, token: str) -> Job:
    user = make.owner_of(team)
    return launch.request(
        wanted,
        launch.Ask(
            team,
            team.credentials.first() or make.make_credential(team),
            user,
            Actor.person(user),
            form_token=token,
            now=timezone.now(),
        ),
        same_again=True,
    )


def test_the_form_of_a_renamed_job_still_leads_to_it():
    team, token = make.make_team(), f"form:{uuid.uuid4().hex}"
    job = asked(team, order("Dev box"), token)
    keeping.rename(job, "Training", **who(job))
    keeping.rename(job, "Training 2", **who(job))
    assert asked(team, order("Dev box"), token).pk == job.pk
    with pytest.raises(FormAlreadyUsed):
        asked(team, order("Training 2"), token)


def test_a_launch_stores_its_tags_clean_and_refuses_what_is_none():
    team = make.make_team()
    job = asked(team, order("Dev", tags=("GPU", "gpu", "night  run")), "form:1")
    assert keeping.tags_of(job) == ["gpu", "night run"]
    with pytest.raises(LaunchRefused) as refused:
        asked(team, order("Dev", tags=("a,b",)), "form:2")
    assert refused.value.field == "tags"


def test_notes_are_stored_without_their_text_in_the_event(job):
    assert keeping.set_notes(job, "# Run\r\n\r\nseed 7  \n", seen=keeping.notes_version(""), **who(job))
    job.refresh_from_db()
    assert job.notes == "# Run\n\nseed 7"
    event = Event.objects.get()
    assert (event.kind, "seed" in event.sentence + str(event.data)) == ("job.notes_changed", False)
    assert not keeping.set_notes(job, "# Run\n\nseed 7\n", seen=None, **who(job))


def test_two_who_write_notes_do_not_overwrite_each_other(job):
    seen = keeping.notes_version(job.notes)
    assert keeping.set_notes(job, "mine", seen=seen, **who(job))
    with pytest.raises(JobError) as refused:
        keeping.set_notes(Job.objects.get(pk=job.pk), "theirs", seen=seen, **who(job))
    assert refused.value.code == "outdated"
    job.refresh_from_db()
    assert job.notes == "mine"
    assert kinds(job) == ["job.notes_changed"]


def test_notes_have_their_length(job):
    keeping.set_notes(job, "ä" * 20_000, seen=None, **who(job))
    with pytest.raises(JobError, match="20,000") as refused:
        keeping.set_notes(job, "ä" * 20_001, seen=None, **who(job))
    assert refused.value.field == "notes"


def test_what_no_database_holds_is_left_out_of_notes():
    assert keeping.clean_notes("a\0b\ud800c\rd") == "abc\nd"


def test_tags_are_added_and_removed(job):
    assert keeping.change_tags(job, add=("GPU", "sweep 3"), **who(job))
    assert keeping.change_tags(job, add=("night",), remove=("GPU",), **who(job))
    assert keeping.tags_of(job) == ["night", "sweep 3"]
    assert not keeping.change_tags(job, add=("Night",), remove=("none",), **who(job))
    assert kinds(job) == ["job.tagged"] * 2
    assert Event.objects.latest("id").data == {"added": ["night"], "removed": ["gpu"]}
    assert keeping.set_tags(job, ["only"], **who(job))
    assert keeping.tags_of(job) == ["only"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a,b", "a\u200bb", "a\0b"])
def test_what_is_no_tag_is_refused(job, name):
    with pytest.raises(JobError) as refused:
        keeping.change_tags(job, add=("fine", name), **who(job))
    assert refused.value.field == "tags"
    assert keeping.tags_of(job) == []


def test_a_job_has_twenty_tags_at_most(job):
    keeping.change_tags(job, add=[f"t{n}" for n in range(20)], **who(job))
    with pytest.raises(JobError, match="at most 20"):
        keeping.change_tags(job, add=("one more",), **who(job))
    assert keeping.change_tags(job, add=("one more",), remove=("t0",), **who(job))
    assert JobTag.objects.count() == 20


def test_typed_tags_are_apart_by_commas():
    assert keeping.read_tags(" GPU, night run;gpu,\nx ,") == ("gpu", "night run", "x")


def test_suggestions_are_the_teams_the_most_used_first(job):
    other = make.make_job(job.team)
    foreign = make.make_job(make.make_team())
    keeping.set_tags(job, ["a", "b"], **who(job))
    keeping.set_tags(other, ["b"], **who(job))
    keeping.set_tags(foreign, ["secret"], **who(foreign))
    assert keeping.suggestions(job.team_id) == ["b", "a"]


def test_a_star_is_ones_own(job):
    ana, bob = make.owner_of(job.team), make.make_member(job.team)
    keeping.star(job, ana.pk)
    keeping.star(job, ana.pk)
    assert keeping.is_starred(job, ana.pk)
    assert not keeping.is_starred(job, bob.pk)
    assert keeping.starred(ana.pk, [job.pk]) == {job.pk}
    assert keeping.starred(bob.pk, [job.pk]) == set()
    assert keeping.starred(ana.pk, []) == set()
    keeping.unstar(job, bob.pk)
    assert JobStar.objects.count() == 1
    keeping.unstar(job, ana.pk)
    assert (JobStar.objects.count(), kinds(job)) == (0, [])


def test_a_renamed_job_is_restored_under_its_name(job):
    keeping.rename(job, "Weiß", **who(job))
    assert specs.restore(Job.objects.get(pk=job.pk)).title == "Wei"
