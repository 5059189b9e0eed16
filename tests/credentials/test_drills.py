"""Game days: a key that is missing, one that is another, one that comes back, a backup that is restored."""

import uuid
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from dispersed_web.credentials import canary, rotation, vault
from dispersed_web.credentials.models import Credential, KeyCanary
from dispersed_web.jobs import unstoppable
from dispersed_web.teams.models import Installation
from tests import factories as make
from tests.jobs.world import World

pytestmark = pytest.mark.django_db
K1, K2 = ("k1", b"1" * 32), ("k2", b"2" * 32)
WRONG = ("k1", b"x" * 32)


@pytest.fixture(autouse=True)
def _ring(settings):
    settings.KEYRING = [K1]


@pytest.fixture
def world(sandbox):
    world = World(sandbox)
    canary.ensure()
    return world


def check():
    """The output, and the status of the command."""
    out = StringIO()
    try:
        call_command("secrets", "check", stdout=out)
    except CommandError as error:
        return out.getvalue(), error.returncode
    return out.getvalue(), 0


def contents():
    return list(Credential.objects.order_by("pk").values_list("pk", "secret_sealed")) + list(
        KeyCanary.objects.order_by("pk").values_list("pk", "sealed")
    )


def test_with_all_keys_the_check_is_content():
    make.make_credential(make.make_team())
    out, status = check()
    assert status == 0
    assert "credentials: 1 under key k1" in out
    assert "All 1 stored secrets can be opened." in out


@pytest.mark.parametrize(("ring", "said"), [([K2], "is missing"), ([WRONG], "is not the one of that name")])
def test_without_its_key_the_check_names_the_key_the_rows_and_the_jobs(world, settings, ring, said):
    job = make.make_job(world.team, title="Train the big one")
    before = contents()
    settings.KEYRING = ring
    out, status = check()
    assert status == 1
    assert f"“k1” {said}" in out
    assert "1 stored secret cannot be opened" in out
    assert f"“Train the big one”, $0.69/h, Dispersed’s id {job.remote_uuid}" in out
    assert [row for row in contents() if row[0] != "k2"] == before, (
        "nothing was overwritten, deleted or reset"
    )
    assert canary.troubles()[0].fault == ("missing" if ring == [K2] else "wrong")


def test_a_key_that_was_only_tried_is_missed_by_nobody(settings):
    settings.KEYRING = [K1]
    make.make_credential(make.make_team())
    canary.ensure()
    settings.KEYRING = [K2]
    assert canary.ensure() == ["k2"]
    assert [one.key_id for one in canary.troubles()] == ["k1"]
    settings.KEYRING = [K1]
    canary.ensure()
    assert canary.troubles() == []


def test_what_was_stored_since_the_last_count_is_counted_in_trouble(settings):
    assert check()[1] == 0
    assert KeyCanary.objects.get().rows == 0
    settings.KEYRING = [K2]
    assert canary.troubles() == [], "nothing needs the key that is missing"
    settings.KEYRING = [K1]
    make.make_credential(make.make_team())
    settings.KEYRING = [K2]
    [trouble] = canary.troubles()
    assert "1 stored secret cannot be opened without it" in trouble.sentence


def test_a_wrong_key_gets_no_canary_even_where_none_was_made_before(settings):
    make.make_credential(make.make_team())
    settings.KEYRING = [WRONG]
    assert canary.ensure() == []
    assert rotation.check(timezone.now()).troubles[0].fault == canary.WRONG


def test_a_damaged_row_is_named_and_its_key_is_not_blamed():
    team = make.make_team()
    good, bad = make.make_credential(team), make.make_credential(team)
    Credential.objects.filter(pk=bad.pk).update(secret_sealed=good.secret_sealed)
    canary.ensure()
    out, status = check()
    assert status == 1
    assert f"Damaged: credentials, row {bad.pk}" in out
    assert "is missing" not in out


def test_another_key_of_the_team_that_opens_can_stop_the_job(world, settings):
    make.make_job(world.team)
    settings.KEYRING = [K2]
    assert [job.perhaps_with for job in unstoppable.find()] == [""]
    other = make.make_credential(world.team, api_url=world.credential.api_url, name="Other")
    assert [job.perhaps_with for job in unstoppable.find()] == ["Other"], "nobody knows its account"
    Credential.objects.filter(pk__in=[other.pk, world.credential.pk]).update(account="one")
    assert unstoppable.find() == []


def test_while_the_key_is_away_nothing_is_launched_and_a_stop_waits_and_both_return_with_it(world, settings):
    job = world.launched()
    settings.KEYRING = [K2]
    assert not world.sync()
    world.credential.refresh_from_db()
    assert world.credential.state == "broken"
    assert "'k1' is missing" in world.credential.failure
    from dispersed_web.jobs.errors import LaunchRefused

    with pytest.raises(LaunchRefused, match="'k1' is missing"):
        world.request()
    from dispersed_web.jobs import stop
    from dispersed_web.jobs.states import Reason

    assert stop.request_stop(job, actor=world.actor, reason=Reason.USER, now=world.clock.now)
    world.pass_time(30)
    job.refresh_from_db()
    assert job.stop_next_at is not None
    assert world.control.jobs()[0]["status"] not in ("CANCELLED", "CANCELLING")

    settings.KEYRING = [K2, K1]
    for _ in range(8):
        world.pass_time(30)
    world.credential.refresh_from_db()
    job.refresh_from_db()
    assert world.credential.state == "active"
    assert job.status == "CANCELLED"


def test_a_key_file_that_came_with_the_wrong_backup_is_told_at_once(settings):
    make.make_credential(make.make_team())
    canary.ensure()
    Installation.objects.update(uuid=uuid.uuid4())
    assert canary.troubles()[0].fault == canary.WRONG


def test_shredding_wants_the_name_typed_and_no_running_jobs():
    team = make.make_team()
    job = make.make_job(
        team, spec=make.make_spec(env={"TOKEN": "hidden-value"}), secret_env=frozenset({"TOKEN"})
    )
    before = contents()

    def shred(*more):
        out = StringIO()
        call_command("secrets", "shred", "--team", team.slug, *more, stdout=out)
        return out.getvalue()

    with pytest.raises(CommandError, match="not the name"):
        shred("--sure", "other")
    with pytest.raises(CommandError, match="1 job has not ended"):
        shred("--sure", team.slug)
    assert contents() == before
    assert "credentials: 1 destroyed" in shred("--sure", team.slug, "--force")
    key = Credential.objects.get()
    job.refresh_from_db()
    assert key.state == "gone"
    assert key.secret_sealed == job.spec_secrets_sealed == vault.DESTROYED
    assert team.events.filter(kind="team.shredded", audience="admins").exists()
    out, status = check()
    assert status == 1, "the job that was left running"
    assert f"Dispersed’s id {job.remote_uuid}: its key was destroyed here" in out
    job.delete()
    assert check()[1] == 0
