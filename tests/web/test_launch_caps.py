"""The caps of a credential in the launch form: told, marked, and said before the launch is sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.credentials.models import CredentialCaps
from dispersed_web.jobs.caps import Caps, Counts, Spent
from dispersed_web.jobs.market import choices
from dispersed_web.jobs.models import Job
from dispersed_web.web.forms import cap_words, caps_beside
from tests import factories
from tests.web.launch_forms import H100, RTX_5090, address, faults, member, opened, send, text_of, with_market

USD = Decimal
FIT = {"title": "T", "image": "ubuntu", "gpu": RTX_5090}
WOULD = "As it stands this would be refused"


@pytest.mark.parametrize(
    ("caps", "counts", "words"),
    [
        (Caps(), Counts(), ""),
        (Caps(max_active_jobs=1), Counts(active_jobs=1), "At most 1 job at once (1 active)."),
        (
            Caps(
                max_active_jobs=3,
                max_hourly_usd=USD(4),
                gpu_models=("RTX 4090", "L40S"),
                max_lifetime_s=86400,
            ),
            Counts(active_jobs=2, burning_usd=USD("1.38")),
            "At most 3 jobs at once (2 active), $4.00 an hour ($1.38 now), 24\xa0h for a job. Only RTX 4090 or L40S.",
        ),
        (
            Caps(
                max_day_usd=USD(9),
                max_gpu_count=1,
                task="BATCH",
                regions=("us-west-2",),
                images=tuple("abcdef"),
            ),
            Counts(day=Spent(USD(2), "")),
            "At most $9.00 a day ($2.00 spent), 1 GPU in a job. Only batch jobs; in Oregon; images a, b, c, d or one of 2 "
            "more.",
        ),
    ],
)
def test_caps_in_words(caps: Caps, counts: Counts, words: str) -> None:
    assert cap_words.sentences(caps, counts) == words


FRESH = {"task": "BATCH", "gpu": "any", "gpu_count": 1, "lifetime": 7200}
MARKET = choices(
    [
        {"uuid": RTX_5090, "name": "NVIDIA RTX 5090", "vram_gb": 32},
        {"uuid": H100, "name": "H100", "vram_gb": 80},
    ],
    [
        {
            "gpu_registry_uuid": RTX_5090,
            "gpu_label": "",
            "gpu_count": 1,
            "region_code": "us-east-1",
            "hourly_rate_usd": "0.69",
        }
    ],
    1,
)


@pytest.mark.parametrize(
    ("caps", "changes"),
    [
        (Caps(), {}),
        (Caps(task="PERSISTENT", max_lifetime_s=3600), {"task": "PERSISTENT", "lifetime": 3600}),
        (Caps(regions=("us-west-2", "moon-1")), {"allowed_region_codes": ["us-west-2"]}),
        (Caps(gpu_models=("H100", "RTX 5090")), {"gpu": RTX_5090}),
        (Caps(gpu_models=("H100",)), {"gpu": H100}),
        (Caps(gpu_models=("B300",)), {"gpu": "name", "gpu_name": "B300"}),
    ],
)
def test_a_fresh_form_begins_within_the_caps(caps: Caps, changes: dict[str, Any]) -> None:
    assert caps_beside.fitted(FRESH, caps, MARKET) == FRESH | changes


pytestmark = pytest.mark.django_db


@pytest.fixture
def team(client: Any) -> Any:
    team, _ = member(client)
    with_market(team)
    return team


def cap(team: Any, **caps: Any) -> Any:
    return CredentialCaps.objects.create(credential=team.credentials.first(), **caps)


def estimate(client: Any, team: Any, **typed: Any) -> str:
    query = opened(client, team) | FIT | typed
    return text_of(client.get(address(team, "launch-estimate"), query))


def inputs(html: str, name: str, value: str) -> str:
    return next(
        part for part in html.split("<input") if f'name="{name}"' in part and f'value="{value}"' in part
    )


def test_the_form_tells_the_caps_and_bars_what_they_forbid(client: Any, team: Any) -> None:
    cap(team, max_active_jobs=2, gpu_models=["RTX 5090"], regions=["us-west-2"], task="BATCH")
    html = client.get(address(team)).content.decode()
    assert "At most 2 jobs at once (0 active). Only batch jobs; RTX 5090; in Oregon." in html
    for name, value in (
        ("task", "PERSISTENT"),
        ("gpu", "any"),
        ("gpu", H100),
        ("allowed_region_codes", "eu-west-1"),
    ):
        assert " disabled" in inputs(html, name, value).split(">")[0]
    for name, value in (("task", "BATCH"), ("gpu", RTX_5090), ("allowed_region_codes", "us-west-2")):
        assert " checked" in inputs(html, name, value).split(">")[0]
    assert html.count("launch-barred") == 3


def test_what_is_chosen_stays_chosen_and_is_marked(client: Any, team: Any) -> None:
    cap(team, gpu_models=["RTX 5090"], regions=["us-west-2"])
    fields = opened(client, team) | FIT | {"gpu": H100, "allowed_region_codes": ["eu-west-1"]}
    answer = send(client, team, fields)
    html = answer.content.decode()
    assert {"gpu", "allowed_region_codes"} <= set(faults(answer))
    assert " checked" in inputs(html, "gpu", H100).split(">")[0]
    assert " disabled" not in inputs(html, "allowed_region_codes", "eu-west-1").split(">")[0]


@pytest.mark.parametrize(
    ("caps", "typed", "words"),
    [
        (
            {"max_active_jobs": 1},
            {},
            "1 job may run at once with this credential, and 1 is active. Stop one first",
        ),
        ({"max_active_jobs": 3}, {"copies": "3"}, "so 3 more are too many"),
        ({"max_hourly_usd": "1.40"}, {}, "would burn $1.44/h"),
        ({"max_hourly_usd": "2.10"}, {"copies": "2"}, "With these 2 jobs the credential would burn $2.19/h"),
        ({"max_day_usd": "0"}, {}, "has spent $0.00 of $0.00 today"),
        ({"gpu_models": ["H100"]}, {}, "for these GPUs: H100. Choose one of them"),
        ({"images": ["lab/*"]}, {}, "“ubuntu:latest” is not allowed"),
        ({"images": ["ubuntu:24.04"]}, {"tag": "22.04"}, "“ubuntu:22.04” is not allowed"),
        ({"max_lifetime_s": 7200}, {"max_timeout_run": "2h"}, "A job with this credential may last"),
    ],
)
def test_what_a_cap_would_refuse_is_said_while_the_form_is_filled_and_refused_when_sent(
    client: Any, team: Any, caps: dict[str, Any], typed: dict[str, Any], words: str
) -> None:
    factories.make_job(team, hourly_rate_usd="0.69")
    cap(team, **caps)
    typed = {"max_timeout_run": "30m"} | typed
    said = estimate(client, team, **typed)
    assert WOULD in said
    assert words in said
    fields = opened(client, team) | FIT | typed
    assert words in text_of(send(client, team, fields, review="yes"))
    checked = text_of(send(client, team, fields, check="yes"))
    assert "Everything can be launched" not in checked
    before = Job.objects.count()
    answer = send(client, team, fields, confirm_copies=typed.get("copies", ""))
    assert answer.status_code == 422
    assert words.split(", so")[0].split("these 2")[0] in text_of(answer)
    assert Job.objects.count() == before


def test_what_the_caps_allow_is_said_to_be_fine_and_goes(client: Any, team: Any) -> None:
    factories.make_job(team, hourly_rate_usd="0.69")
    cap(team, max_active_jobs=2, max_hourly_usd="1.44", gpu_models=["RTX 5090"], images=["ubuntu"])
    assert WOULD not in estimate(client, team)
    fields = opened(client, team) | FIT
    assert "Everything can be launched" in text_of(send(client, team, fields, check="yes"))
    assert send(client, team, fields).status_code == 302


def test_the_review_offers_no_launch_where_a_cap_stands_in_the_way(client: Any, team: Any) -> None:
    cap(team, max_active_jobs=0)
    typed = opened(client, team) | FIT | {"review": "yes"}
    html = client.post(address(team), typed, headers={"HX-Request": "true"}).content.decode()
    assert "Not ready to launch" in html
    assert 'form="launch-form"' not in html


def test_another_credential_brings_its_own_marks(client: Any, team: Any) -> None:
    first = team.credentials.get()
    second = factories.make_credential(team, name="Second")
    CredentialCaps.objects.create(credential=second, task="PERSISTENT", regions=["us-west-2"])
    query = opened(client, team) | {"credential": second.pk, "looks_with": first.pk, "looks": "1"}
    html = client.get(address(team, "launch-gpus"), query).content.decode()
    assert html.count('hx-swap-oob="true"') == 3
    assert "Only persistent jobs; in Oregon." in html
    assert " disabled" in inputs(html, "allowed_region_codes", "eu-west-1").split(">")[0]
    same = client.get(address(team, "launch-gpus"), query | {"looks_with": second.pk})
    assert b"hx-swap-oob" not in same.content


def test_without_a_script_a_button_shows_what_another_credential_allows(client: Any, team: Any) -> None:
    second = factories.make_credential(team, name="Second")
    CredentialCaps.objects.create(credential=second, task="PERSISTENT", regions=["us-west-2"])
    page = client.get(address(team)).content.decode()
    assert '<noscript><button class="btn btn-quiet btn-sm" name="look"' in page
    fields = opened(client, team) | {"credential": second.pk, "image": "org/i", "look": "yes"}
    answer = client.post(address(team), fields)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert faults(answer) == {}
    assert "Only persistent jobs; in Oregon." in html
    assert " disabled" in inputs(html, "allowed_region_codes", "eu-west-1").split(">")[0]
    assert 'value="org/i"' in html
    assert not Job.objects.exists()
