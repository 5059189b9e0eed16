"""A launch that an API token asked for: what the token is worth still bounds it when it is sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from dispersed_web.events.record import Actor
from dispersed_web.jobs.errors import LaunchRefused
from dispersed_web.jobs.models import Job
from dispersed_web.teams import api_tokens
from dispersed_web.teams.models import ApiToken, Membership
from dispersed_web.teams.roles import Role
from tests.jobs.world import World

DAY = dt.timedelta(days=1)


@pytest.fixture
def token(world: World) -> ApiToken:
    """Of an admin, with a scope that is worth a member's role."""
    Membership.objects.filter(user=world.user).update(role=Role.ADMIN)
    how = {"name": "CI", "scope": "operate", "lifetime": DAY, "actor": world.actor, "now": world.clock.now}
    return api_tokens.create(world.team, world.user, **how)[0]


def asked(world: World, token: ApiToken) -> Job:
    worth = api_tokens.ROLE_OF_SCOPE[token.scope]
    return world.request(actor=Actor.token(world.user, token.name, at_most=worth, token_id=token.pk))


def test_it_is_sent_while_the_token_is_good(world: World, token: ApiToken) -> None:
    job = world.send(asked(world, token))
    assert (job.asked_with, job.status) == (token.pk, "PENDING")


def test_its_scope_bounds_it_when_it_is_sent_although_the_person_could_do_more(
    world: World, token: ApiToken
) -> None:
    job = asked(world, token)
    world.credential.usable_by = "admins"
    world.credential.save()
    assert world.in_ledger(world.send(job)) == []
    assert (job.status, job.reason) == ("FAILED", "expired")
    assert "not for you" in job.reason_text
    assert world.send(world.request()).status == "PENDING", "the person may"


def revoke(world: World, token: ApiToken) -> None:
    api_tokens.revoke(token, actor=world.actor, now=world.clock.now)


def expire(world: World, token: ApiToken) -> None:
    ApiToken.objects.filter(pk=token.pk).update(expires_at=world.clock.now)


def delete(world: World, token: ApiToken) -> None:
    token.delete()


def narrow(world: World, token: ApiToken) -> None:
    ApiToken.objects.filter(pk=token.pk).update(scope="read")


def lower(world: World, token: ApiToken) -> None:
    Membership.objects.filter(user=world.user).update(role=Role.VIEWER)


def remove(world: World, token: ApiToken) -> None:
    Membership.objects.filter(user=world.user).delete()


@pytest.mark.parametrize("lose", [revoke, expire, delete, narrow, lower, remove])
def test_who_lost_the_right_before_it_was_sent_launches_nothing(
    world: World, token: ApiToken, lose: Callable[[World, ApiToken], None]
) -> None:
    job = asked(world, token)
    lose(world, token)
    assert world.in_ledger(world.send(job)) == []
    assert (job.status, job.reason) == ("FAILED", "expired")
    words = "API token" if lose in (revoke, expire, delete) else "may not launch"
    assert words in job.reason_text


def test_a_token_of_a_team_that_has_expired_launches_nothing_although_its_account_is_still_a_member(
    world: World,
) -> None:
    how = {"name": "CI", "scope": "operate", "lifetime": DAY, "now": world.clock.now}
    Membership.objects.filter(user=world.user).update(role=Role.ADMIN)
    token, _ = api_tokens.create_service(world.team, actor=world.actor, **how)
    actor = Actor("token", "CI", token.user_id, Role.MEMBER, token.pk)
    job = world.request(user=token.user, actor=actor)
    expire(world, token)
    assert world.in_ledger(world.send(job)) == []
    assert "API token" in job.reason_text


def test_what_it_asked_for_after_its_claim_began_is_not_taken_back(world: World, token: ApiToken) -> None:
    job = world.send(asked(world, token))
    revoke(world, token)
    world.pass_time(30)
    job.refresh_from_db()
    assert job.is_active


def test_a_token_of_another_team_bounds_nothing_here(world: World, token: ApiToken) -> None:
    from tests import factories

    other = factories.make_team()
    assert api_tokens.worth_now(token.pk, other.pk, world.clock.now) is None


def test_a_request_that_is_refused_by_the_scope_is_refused_at_once(world: World, token: ApiToken) -> None:
    world.credential.usable_by = "admins"
    world.credential.save()
    with pytest.raises(LaunchRefused) as refused:
        asked(world, token)
    assert refused.value.code == "credential_not_for_you"
