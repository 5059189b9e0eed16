"""The launch page from first look to the job, without JavaScript."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import REGION_CODES, problems_of
from dispersed_web.events.models import Event
from dispersed_web.jobs import market, specs
from dispersed_web.jobs.models import Job, Market
from dispersed_web.web.forms import regions
from tests import factories
from tests.web.launch_forms import (
    H100,
    RTX_5090,
    Fields,
    address,
    env,
    faults,
    member,
    only_job,
    opened,
    send,
    text_of,
    with_market,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def nudges(monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "nudge", lambda task, *ids: sent.append((task.name.rpartition(".")[2], *ids)))
    return sent


# Who may ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["launch", "launch-gpus", "launch-estimate"])
def test_viewer_gets_403_and_stranger_404(client, name):
    team, _ = member(client, "viewer")
    assert client.get(address(team, name)).status_code == 403
    factories.sign_in(client, factories.make_user())
    assert client.get(address(team, name)).status_code == 404
    client.logout()
    assert client.get(address(team, name)).status_code == 302


def test_viewer_and_stranger_launch_nothing(client):
    team, _ = member(client)
    fields = opened(client, team) | {"title": "T", "image": "i"}
    factories.sign_in(client, factories.make_member(team, "viewer"))
    assert send(client, team, fields).status_code == 403
    factories.sign_in(client, factories.make_user())
    assert send(client, team, fields).status_code == 404
    assert not Job.objects.exists()


def test_without_a_credential_it_says_who_adds_one(client):
    team = factories.make_team(owner=factories.make_user(name="Ada Martin"))
    factories.sign_in(client, factories.make_member(team))
    page = text_of(client.get(address(team)))
    assert "Adding one is up to Ada Martin" in page
    assert "Add a credential" not in page
    factories.sign_in(client, factories.owner_of(team))
    assert b"/credentials/add/" in client.get(address(team)).content


def test_a_broken_or_disabled_credential_is_none(client):
    team, _ = member(client)
    Credential.objects.update(state="disabled")
    assert "No credential that may launch" in text_of(client.get(address(team)))
    fine = factories.make_credential(team, name="Fine")
    assert opened(client, team)["credential"] == [str(fine.pk)]


# Launching ----------------------------------------------------------------------------------------------------------


def test_title_and_image_are_enough(client, nudges):
    team, user = member(client)
    answer = send(client, team, opened(client, team) | {"title": "Train", "image": "org/train"})
    job = only_job()
    assert (answer.status_code, answer.url) == (302, f"/t/{team.slug}/jobs/{job.pk}/")
    assert ("send_launch", job.pk) in nudges
    assert (job.status, job.task, job.created_by, job.team) == ("QUEUED", "BATCH", user, team)
    assert problems_of(specs.restore(job)) == {}
    assert job.spec["tag"] == "latest"
    assert (job.spec["gpu_count"], job.spec["max_timeout_run_ms"]) == (1, 3_600_000)


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        (
            "process-dataset",
            {
                "task": "BATCH",
                "image": "dispersednetwork/pytorch-pytorch",
                "tag": "2.7.1-cuda12.8-cudnn9-runtime",
                "max_timeout_run_ms": 3_600_000,
                "ports": (),
                "ssh_key": "",
            },
        ),
        (
            "development-environment",
            {
                "task": "PERSISTENT",
                "image": "dispersednetwork/base",
                "tag": "latest",
                "max_timeout_run_ms": None,
                "ports": (22,),
                "ssh_key": factories.SSH_KEY,
            },
        ),
    ],
)
def test_examples_launch_as_they_stand(client, example, expected):
    team, _ = member(client, ssh_key=factories.SSH_KEY)
    assert f"?example={example}" in client.get(address(team)).content.decode()
    assert send(client, team, opened(client, team, f"?example={example}")).status_code == 302
    spec = specs.restore(only_job())
    assert {name: getattr(spec, name) for name in expected} == expected


def test_every_field_reaches_the_specification(client):
    team, _ = member(client)
    with_market(team)
    typed = {
        "task": "PERSISTENT",
        "title": "Everything",
        "description": "All of it\r\nat once",
        "image": "org/everything",
        "tag": "v1",
        "registry_host": "registry.gitlab.com",
        "registry_user": "__token__",
        "registry_secret": "glpat-registry-secret",
        "gpu": RTX_5090,
        "gpu_count": "2",
        "cpu_count": "8",
        "min_vram_gb": "24",
        "min_ram_gb": "64",
        "min_storage_gb": "200",
        "allowed_region_codes": ["us-east-1", "eu-central-1"],
        "max_node_count": "3",
        "max_retry_count": "1",
        "max_timeout_assign": "20 min",
        "max_timeout_start": "45m",
        "lifetime": "2h 30m",
        "ssh_key": factories.SSH_KEY,
        "ports": "8888, 22",
        "reach": "list",
        "allowed_ips": "198.51.100.7, 203.0.113.0/24",
        **env(("MODEL", "llama"), ("HF_TOKEN", "hf_secret")),
    }
    assert send(client, team, opened(client, team) | typed).status_code == 302
    job = only_job()
    spec = specs.restore(job)
    assert spec.registry_secret.reveal() == "glpat-registry-secret"
    assert spec.env == {"MODEL": "llama", "HF_TOKEN": "hf_secret"}
    assert (spec.task, spec.description) == ("PERSISTENT", "All of it\nat once")
    assert (spec.gpu_registry_uuid, spec.gpu_name, spec.gpu_count, spec.cpu_count) == (RTX_5090, "", 2, 8)
    assert (spec.min_vram_gb, spec.min_ram_gb, spec.min_storage_gb) == (24, 64, 200)
    assert set(spec.allowed_region_codes) == {"us-east-1", "eu-central-1"}
    assert (spec.max_node_count, spec.max_retry_count) == (3, 1)
    assert (spec.max_timeout_assign_ms, spec.max_timeout_start_ms) == (1_200_000, 2_700_000)
    assert (spec.ports, spec.allowed_ips) == ((8888, 22), ("198.51.100.7", "203.0.113.0/24"))
    assert (job.lifetime_s, job.gpu_label) == (9000, "2 × RTX 5090")
    assert job.quoted_usd == market.Decimal("4.14")
    assert "hf_secret" not in str(job.spec)
    assert "glpat-registry-secret" not in str(job.spec)


def test_titles_may_be_any_unicode_and_what_is_signed_stays_ascii(client):
    team, _ = member(client)
    title = "訓練 Café 👩‍🔬"
    send(client, team, opened(client, team) | {"title": title, "image": "i"})
    job = only_job()
    assert job.title == title
    assert specs.body_to_send(job)["title"] == f"Cafe {job.marker}"


def test_an_ssh_key_adds_port_22_and_says_so(client):
    team, _ = member(client, ssh_key=factories.SSH_KEY)
    answer = client.post(
        address(team), opened(client, team) | {"title": "T", "image": "i", "ports": "8888"}, follow=True
    )
    assert specs.restore(only_job()).ports == (22, 8888)
    assert "Port 22 is published too" in text_of(answer)


def test_a_pasted_tag_is_taken_apart(client):
    team, _ = member(client)
    send(
        client, team, opened(client, team) | {"title": "T", "image": "localhost:5000/org/name:v2", "tag": ""}
    )
    assert (only_job().spec["image"], only_job().spec["tag"]) == ("localhost:5000/org/name", "v2")


# Who may connect ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remote", "network"),
    [
        ("198.51.101.7", "198.51.101.7/32"),
        ("::ffff:8.8.4.4", "8.8.4.4/32"),
        ("2a00:1450::7", "2a00:1450::7/128"),
    ],
)
def test_only_my_address_is_prefilled(client, remote, network):
    team, _ = member(client, ssh_key=factories.SSH_KEY)
    fields = opened(client, team, REMOTE_ADDR=remote)
    assert fields["reach"] == ["me"]
    client.post(address(team), fields | {"title": "T", "image": "i"}, REMOTE_ADDR=remote)
    assert only_job().spec["allowed_ips"] == [network]


@pytest.mark.parametrize("remote", ["10.0.0.8", "127.0.0.1", "::1", "fe80::1", "fd00::2", "", "unix:"])
def test_a_private_address_is_named_and_never_sent(client, settings, remote):
    settings.DISPERSED_SIMULATED = False
    team, _ = member(client, ssh_key=factories.SSH_KEY)
    fields = opened(client, team, REMOTE_ADDR=remote)
    assert "reach" not in fields
    answer = client.post(address(team), fields | {"title": "T", "image": "i"}, REMOTE_ADDR=remote)
    assert "Choose who may connect" in faults(answer)["reach"]
    answer = client.post(
        address(team), fields | {"title": "T", "image": "i", "reach": "me"}, REMOTE_ADDR=remote
    )
    assert "cannot be told" in faults(answer)["reach"]
    assert not Job.objects.exists()


def test_nobody_is_asked_who_may_connect_to_nothing(client, settings):
    settings.DISPERSED_SIMULATED = False
    team, _ = member(client)
    assert send(client, team, opened(client, team) | {"title": "T", "image": "i"}).status_code == 302
    assert only_job().spec["allowed_ips"] == []


def test_behind_a_proxy_the_address_that_the_proxy_saw_counts(client, settings):
    team, _ = member(client)
    forged = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 9.9.9.9"}
    assert b"9.9.9.9/32" not in client.get(address(team), **forged).content
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    page = client.get(address(team), **forged).content
    assert b"9.9.9.9/32" in page
    assert b"6.6.6.6" not in page


def test_anyone_is_warned_of(client):
    team, _ = member(client)
    fields = opened(client, team) | {"title": "T", "image": "i", "ports": "8888", "reach": "anyone"}
    answer = send(client, team, fields, check="yes")
    assert "Anyone on the internet can reach port 8888" in text_of(answer)
    send(client, team, fields)
    assert only_job().spec["allowed_ips"] == ["0.0.0.0/0"]


# Prices -------------------------------------------------------------------------------------------------------------


def test_every_region_has_a_name():
    assert set(regions.NAMES) == set(REGION_CODES)


def test_prices_are_shown_with_their_age_and_what_is_not_offered_stays_a_choice(client):
    team, _ = member(client)
    with_market(team, fetched_at=timezone.now() - dt.timedelta(minutes=2))
    page = client.get(address(team))
    assert "$0.69 to $0.75/h" in text_of(page)
    assert "Prices of 2" in text_of(page).replace("\xa0", " ")
    assert "Not offered right now" in text_of(page)
    fields = Fields(page.content.decode()).values
    assert send(client, team, fields | {"title": "T", "image": "i", "gpu": H100}).status_code == 302
    assert (only_job().gpu_label, only_job().quoted_usd) == ("H100 80GB", None)


def test_without_prices_a_launch_is_possible(client):
    team, _ = member(client)
    Market.objects.create(credential=team.credentials.get(), failure="Dispersed does not answer.")
    page = client.get(address(team))
    assert "cannot be had at the moment" in text_of(page)
    assert "Dispersed does not answer." in text_of(page)
    fields = Fields(page.content.decode()).values
    named = {"title": "T", "image": "i", "gpu": "name", "gpu_name": "RTX 5090"}
    assert send(client, team, fields | named).status_code == 302
    assert (only_job().spec["gpu_name"], only_job().gpu_label) == ("RTX 5090", "RTX 5090")


def test_stale_prices_are_asked_for_anew_once_a_view(client, nudges):
    team, _ = member(client)
    key = team.credentials.get().pk
    row = with_market(team, fetched_at=timezone.now() - dt.timedelta(minutes=3))
    page = client.get(address(team))
    assert nudges == [("refresh_market", key)]
    assert b"data-poll-ms" in page.content
    looking = client.get(address(team, "launch-gpus"), {"credential": key, "looks": "8", "looks_with": key})
    assert b"data-poll-ms" in looking.content
    last = client.get(address(team, "launch-gpus"), {"credential": key, "looks": "1", "looks_with": key})
    assert b"data-poll-ms" not in last.content
    assert len(nudges) == 1
    Market.objects.filter(pk=row.pk).update(fetched_at=timezone.now())
    fresh = client.get(address(team, "launch-gpus"), {"credential": key, "looks": "8", "looks_with": key})
    assert b"data-poll-ms" not in fresh.content
    assert len(nudges) == 1


def test_another_credential_shows_its_own_prices(client, nudges):
    team, _ = member(client)
    first = team.credentials.get()
    with_market(team, fetched_at=timezone.now())
    second = factories.make_credential(team, name="Second")
    query = {"credential": second.pk, "looks": "0", "looks_with": first.pk}
    answer = client.get(address(team, "launch-gpus"), query)
    assert "$0.69" not in text_of(answer)
    assert nudges == [("refresh_market", second.pk)]


def test_the_task_asks_the_cloud(client, sandbox):
    team = factories.make_team()
    key = factories.make_credential(team, sandbox)
    tasks.refresh_market(str(key.pk))
    assert {gpu["name"] for gpu in market.of(key).gpus} >= {"NVIDIA RTX 5090"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"task": "PERSISTENT", "lifetime": "24h", "gpu": RTX_5090, "gpu_count": "1"}, "$0.69 to $0.75/h"),
        ({"task": "PERSISTENT", "lifetime": "24h", "gpu": RTX_5090, "gpu_count": "1"}, "at most $18.00"),
        ({"task": "PERSISTENT", "lifetime": "1h", "gpu": RTX_5090, "gpu_count": "2"}, "$1.38/h"),
        ({"task": "PERSISTENT", "lifetime": "1h", "gpu": "any", "max_node_count": "2"}, "at most $1.50"),
        ({"gpu": RTX_5090, "allowed_region_codes": "us-east-1", "gpu_count": "1"}, "$0.69/h"),
        ({"gpu": "any", "min_vram_gb": "33"}, "No price is known"),
        ({"gpu": "name", "gpu_name": "rtx 5090"}, "$0.69 to $0.75/h"),
        ({"gpu": H100, "gpu_count": "1"}, "No price is known"),
        (
            {"task": "BATCH", "max_timeout_run": "1h", "max_timeout_start": "30m", "max_retry_count": "1"},
            "at most $2.25",
        ),
    ],
)
def test_the_estimate_follows_what_is_chosen(client, query, expected):
    team, _ = member(client)
    with_market(team, fetched_at=timezone.now())
    assert expected in text_of(client.get(address(team, "launch-estimate"), query))


def test_the_estimate_names_its_end_in_the_readers_zone(client):
    team, user = member(client, time_zone="Asia/Tokyo")
    with_market(team, fetched_at=timezone.now())
    query = {"task": "PERSISTENT", "lifetime": "1d", "gpu": RTX_5090, "gpu_count": "1"}
    text = text_of(client.get(address(team, "launch-estimate"), query))
    there = timezone.now().astimezone(user.zone)
    assert (
        f"until tomorrow {there:%H:}" in text or f"until tomorrow {there + dt.timedelta(hours=1):%H:}" in text
    )


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"task": "PERSISTENT", "lifetime": "3h"}, "bills until it is stopped: by you, or by this server"),
        ({"task": "PERSISTENT", "lifetime": "3h"}, "No SSH key: this image"),
        ({"max_timeout_start": "5m"}, "Only 5m to start"),
        ({"max_node_count": "4"}, "Up to 4 nodes run and bill"),
        ({"max_retry_count": "2"}, "up to 2 times"),
        ({"gpu_count": "0"}, "No GPU is asked for"),
        (env(("API_KEY", "x", "plain")), "Stored in plain although it sounds secret: API_KEY"),
    ],
)
def test_warnings_stand_beside_the_button(client, typed, sentence):
    team, _ = member(client)
    plain = opened(client, team) | {"title": "T", "image": "dispersednetwork/base"}
    assert sentence not in text_of(send(client, team, plain, check="yes"))
    assert sentence in text_of(send(client, team, plain | typed, check="yes"))
    assert not Job.objects.exists()


def test_checking_without_javascript_shows_the_price_and_launches_nothing(client):
    team, _ = member(client)
    with_market(team, fetched_at=timezone.now())
    fields = opened(client, team) | {"title": "T", "image": "i", "gpu": RTX_5090}
    answer = send(client, team, fields, check="yes")
    assert "nothing was launched yet" in text_of(answer)
    assert "at most $1.13" in text_of(answer)
    assert not Job.objects.exists()
    assert send(client, team, Fields(answer.content.decode()).values).status_code == 302


# Again, and instead of -----------------------------------------------------------------------------------------------


def test_again_prefills_everything_but_secrets(client):
    team, _ = member(client)
    spec = factories.make_spec(
        env={"MODEL": "llama", "HF_TOKEN": "hf_old_secret"}, allowed_ips=("0.0.0.0/0",), cpu_count=8
    )
    job = factories.make_job(
        team, "COMPLETED", spec=spec, secret_env=frozenset({"HF_TOKEN"}), title="Zum Ende", lifetime_s=7200
    )
    page = client.get(f"{address(team)}?again={job.pk}")
    assert "Type these again: HF_TOKEN" in text_of(page)
    assert "hf_old_secret" not in page.content.decode()
    fields = Fields(page.content.decode()).values
    assert (fields["title"], fields["lifetime"], fields["cpu_count"]) == (["Zum Ende"], ["2h"], ["8"])
    assert "Type the secret value" in faults(send(client, team, fields))["env-0-value"]
    assert send(client, team, fields | {"env-0-value": "hf_new"}).status_code == 302
    new = Job.objects.exclude(pk=job.pk).get()
    assert {**new.spec, "allowed_ips": 0} == {**job.spec, "allowed_ips": 0, **_defaults(new)}
    assert specs.restore(new).env == {"MODEL": "llama", "HF_TOKEN": "hf_new"}


def _defaults(job):
    names = ("max_node_count", "max_retry_count", "max_timeout_assign_ms", "max_timeout_start_ms")
    return {name: job.spec[name] for name in names}


def test_again_and_supersedes_know_only_the_teams_own_jobs(client):
    team, _ = member(client)
    foreign = factories.make_job(factories.make_team(), "UNCONFIRMED")
    for name in ("again", "supersedes"):
        for value in (foreign.pk, uuid.uuid4(), "x"):
            assert client.get(f"{address(team)}?{name}={value}").status_code == 404
    fields = opened(client, team) | {"title": "T", "image": "i"}
    assert send(client, team, fields, supersedes=foreign.pk).status_code == 404
    foreign.refresh_from_db()
    assert foreign.superseded_by is None


def test_another_launch_in_place_of_an_unconfirmed_one_needs_a_tick(client):
    team, user = member(client)
    lost = factories.make_job(team, "UNCONFIRMED", created_by=user, created_at=timezone.now())
    fields = opened(client, team, f"?supersedes={lost.pk}")
    assert fields["supersedes"] == [str(lost.pk)]
    answer = send(client, team, fields)
    assert "Tick this" in faults(answer)["supersedes_sure"]
    assert "may be running and costing money" in text_of(answer)
    assert Job.objects.count() == 1
    assert send(client, team, fields, supersedes_sure="on").status_code == 302
    lost.refresh_from_db()
    assert lost.superseded_by is not None
    assert lost.superseded_by.status == "QUEUED"
    assert Event.objects.filter(kind="job.superseded", subject_id=str(lost.pk)).count() == 1


def test_one_that_never_arrived_is_replaced_without_a_tick_and_only_once(client):
    team, _ = member(client)
    lost = factories.make_job(team, "FAILED", reason="never_arrived", remote_uuid=None)
    fields = opened(client, team, f"?supersedes={lost.pk}")
    other = opened(client, team, f"?supersedes={lost.pk}")
    assert send(client, team, fields).status_code == 302
    answer = send(client, team, other)
    assert answer.status_code == 422
    assert "found or replaced meanwhile" in text_of(answer)
    assert Job.objects.count() == 2


@pytest.mark.parametrize("status", ["QUEUED", "LAUNCHING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"])
def test_nothing_else_is_replaced(client, status):
    team, _ = member(client)
    known = factories.make_job(team, status)
    answer = send(client, team, opened(client, team, f"?supersedes={known.pk}"), supersedes_sure="on")
    assert answer.status_code == 422
    assert Job.objects.count() == 1
    known.refresh_from_db()
    assert known.superseded_by is None


def test_the_page_may_not_be_kept_by_anybody(client):
    team, _ = member(client)
    assert "no-store" in client.get(address(team))["Cache-Control"]
    assert "no-store" in send(client, team, {"title": "T"})["Cache-Control"]
