"""A lifetime that a recipe's author locked: no way of keeping a job longer passes it, and every one says why."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dispersed_web.autostop import extend, facts, policy
from dispersed_web.credentials.models import CredentialCaps
from dispersed_web.events.record import Actor
from dispersed_web.jobs import copies, launch_bounds
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job
from dispersed_web.notifications import acting
from dispersed_web.notifications.models import ActLink, Delivery
from dispersed_web.recipes import keeping
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Team
from tests import factories
from tests.api.caller import Api, make_token
from tests.jobs.world import World
from tests.recipes.documents import INPUTS, SPEC
from tests.recipes.launching import ask_for

WHY = "The author of its recipe locked"
OPEN = {"spec": SPEC, "autostop": {"lifetime_s": 3600}}
LOCKED = OPEN | {"locked": ["lifetime_s"]}
HIDDEN = {"spec": SPEC, "inputs": [{**INPUTS["duration"], "hidden": True, "default": "1h"}]}
HOUR = dt.timedelta(hours=1)


def make(team: Team, document: Any, now: dt.datetime) -> Recipe:
    author = factories.owner_of(team)
    return keeping.create(
        team,
        document=document,
        actor=Actor.person(author),
        now=now,
        name="Held",
        visibility="team",
        owner=author,
    )


@pytest.mark.parametrize(
    ("document", "ceiling_s"),
    [(OPEN, 86400), (LOCKED, 3600), (HIDDEN, 3600), (LOCKED | {"locked": ["*"]}, 86400)],
)
def test_the_ceiling_of_a_launch_is_the_lifetime_where_it_is_locked(
    world: World, document: Any, ceiling_s: int
) -> None:
    job = world.request(ask_for(make(world.team, document, world.clock.now)))
    assert (job.lifetime_s, job.ceiling_s) == (3600, ceiling_s)


def test_so_is_that_of_every_copy_and_a_shorter_cap_of_the_credential_holds_too(world: World) -> None:
    order = ask_for(make(world.team, LOCKED, world.clock.now))
    found = copies.request_all(order, 2, world.ask(form_token="f" * 32))
    assert [job.ceiling_s for job in found] == [3600, 3600]
    CredentialCaps.objects.create(credential=world.credential, max_lifetime_s=1800)
    assert launch_bounds.bounds_of(order, world.team, world.credential)[1] == 1800


@pytest.fixture
def job(db: None) -> Job:
    """One that runs for half of its locked hour."""
    now = timezone.now()
    team = factories.make_team(owner=factories.make_user(name="Ana"), max_lifetime_s=86400)
    recipe = make(team, LOCKED, now)
    begun = {"created_at": now - HOUR / 2, "launched_at": now - HOUR / 2}
    return factories.make_job(
        team, recipe_version=recipe.current, lifetime_s=3600, ceiling_s=3600, title="Box", **begun
    )


def end_of(job: Job) -> dt.datetime:
    job = Job.objects.get(pk=job.pk)
    stop_at = policy.decide(*facts.of(job, timezone.now()), timezone.now()).stop_at
    assert stop_at
    assert job.extend_until is None
    return stop_at


def is_held(job: Job) -> bool:
    return end_of(job) == job.launched_at + HOUR


def test_the_domain_says_whose_will_it_is(job: Job) -> None:
    now = timezone.now()
    with pytest.raises(JobError, match=WHY) as refused:
        extend.extend(job, until=now + 2 * HOUR, actor=Actor.person(job.owner), now=now, seen_version=0)
    assert refused.value.code == "nothing_to_extend"
    assert is_held(job)


def test_the_page_offers_no_extension_and_says_why(client: Client, job: Job) -> None:
    client.force_login(job.owner)
    address = [job.team.slug, job.pk]
    page = client.get(reverse("web:job", args=address)).content.decode()
    assert "locked by its recipe’s author" in page
    assert "Extend " not in page
    assert (
        "The author of its recipe locked"
        in client.get(reverse("web:job-ask", args=[*address, "extend"])).content.decode()
    )
    sent = {"by": "60", "limits_version": job.limits_version}
    answer = client.post(reverse("web:job-extend", args=address), sent, follow=True)
    assert WHY in answer.content.decode()
    assert is_held(job)


def test_neither_do_many_jobs_at_once(client: Client, job: Job) -> None:
    client.force_login(job.owner)
    data = {"act": "extend", "by": "60", "job": [str(job.pk)]}
    client.post(reverse("web:jobs-bulk", args=[job.team.slug]), data)
    assert is_held(job)


def test_nor_a_program(job: Job) -> None:
    answer = Api(make_token(job.team)).post(f"/api/v1/jobs/{job.pk}/extend", {"by_s": 3600})
    assert answer.status_code == 409
    assert WHY in answer.json()["error"]["message"]
    assert is_held(job)


def test_nor_a_link_in_a_message(job: Job) -> None:
    now = timezone.now()
    event = factories.make_event(job.team, "job.warned", job, now=now, audience="job_owner")
    delivery = Delivery.objects.create(event=event, user=job.owner)
    link = ActLink.objects.create(
        digest="d" * 64,
        delivery=delivery,
        job=job,
        act="extend",
        minutes=60,
        created_at=now,
        expires_at=now + HOUR,
    )
    assert WHY in acting.use(link, now).sentence
    assert is_held(job)


def test_nor_a_protection_nor_a_word_of_people_or_of_the_machine(job: Job) -> None:
    now, who = timezone.now(), Actor.person(job.owner)
    extend.protect(job, until=now + 5 * HOUR, reason="Training", actor=who, by_admin=True, now=now)
    extend.confirm_use(job, actor=who, now=now)
    extend.keep(Job.objects.get(), until=now + 5 * HOUR, actor=who, now=now)
    assert is_held(job)
