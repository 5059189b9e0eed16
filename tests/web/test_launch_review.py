"""The review: the exact request, without a secret, for copying as JSON and curl; the link; the price guard; costs."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlparse

import pytest
from django.utils import timezone

from dispersed_web.api.serializers.launch import LaunchSerializer
from dispersed_web.jobs import specs
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import AutostopPolicy
from tests import factories
from tests.web.launch_forms import (
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
from tests.web.recipe_scenes import make_recipe

pytestmark = pytest.mark.django_db

SECRETS = ("hf_canary", "glpat-canary")


@pytest.fixture
def team(client):
    team = member(client, ssh_key=factories.SSH_KEY)[0]
    with_market(team, fetched_at=timezone.now())
    return team


@pytest.fixture
def fields(client, team):
    typed = {"title": "Größe", "image": "org/i", "task": "PERSISTENT", "gpu": RTX_5090, "ports": "22, 8080"}
    typed |= {"registry_secret": "glpat-canary", "budget_usd": "5", "lifetime": "2h", "idle_limit": "30m"}
    return opened(client, team) | typed | env(("HF_TOKEN", "hf_canary"), ("MODE", "fast"))


def review(client, team, fields, **headers):
    return client.post(address(team), fields | {"review": "yes"}, headers=headers)


def test_it_is_the_request_that_is_sent_but_for_marker_and_secrets(client, team, fields):
    answer = review(client, team, fields)
    shown = json.loads(answer.context["review"].body)
    send(client, team, Fields(answer.content.decode()).values | fields)
    sent = specs.body_to_send(only_job())
    for body in (shown, sent):
        body.pop("title")
        body.pop("description")
        body["parameters"]["parameters"].pop("secret")
        for name in ("HF_TOKEN", "DW_LAUNCH", "DW_HEARTBEAT_URL"):
            assert body["parameters"]["parameters"]["env"].pop(name)
    assert shown == sent


def test_no_secret_is_in_any_form_of_it(client, team, fields):
    dialog = review(client, team, fields, HX_Request="true")
    assert dialog.templates[0].name == "launch/_review_dialog.html"
    assert not [secret for secret in SECRETS if secret in dialog.content.decode()]
    assert "•••" in dialog.content.decode()
    shown = review(client, team, fields).context["review"]
    assert not [secret for secret in SECRETS if secret in shown.body + shown.curl]
    assert shown.secrets == ["HF_TOKEN", "registry_secret"]
    assert not Job.objects.exists()


def test_the_curl_command_is_a_valid_launch(client, team, fields):
    curl = review(client, team, fields).context["review"].curl
    assert "/api/v1/jobs" in curl
    assert "Bearer $DW_TOKEN" in curl
    assert "Idempotency-Key" in curl
    body = json.loads(curl.split("<<'JSON'\n")[1].removesuffix("\nJSON"))
    serializer = LaunchSerializer(data=body)
    assert serializer.is_valid(), serializer.errors
    assert (body["lifetime_s"], body["idle_limit_s"], body["budget_usd"]) == (7200, 1800, "5")
    assert body["title"] == "Größe"


def test_without_a_script_it_is_a_part_of_the_page_and_nothing_is_lost(client, team, fields):
    answer = review(client, team, fields)
    assert "What Dispersed gets" in text_of(answer)
    again = Fields(answer.content.decode()).values
    assert (again["title"], again["form_token"]) == (["Größe"], fields["form_token"])
    assert again["env-0-value"] == ["hf_canary"]


def test_faults_are_listed(client, team, fields):
    answer = review(client, team, fields | {"image": "", "lifetime": "soon"}, HX_Request="true")
    assert "Not ready to launch" in text_of(answer)
    assert "Stop after:" in text_of(answer)
    assert 'name="launch"' not in answer.content.decode()


# The link ------------------------------------------------------------------------------------------------------------


def test_the_link_fills_the_form_and_launches_nothing(client, team, fields):
    link = urlparse(review(client, team, fields).context["link"])
    query = parse_qs(link.query)
    assert not set(query) & {"ssh_key", "ssh_key_from", "credential", "registry_secret", "form_token"}
    assert not [secret for secret in SECRETS if secret in link.query]
    assert query["env"] == ["MODE=fast"]
    factories.sign_in(client, factories.make_member(team))
    page = client.get(f"{link.path}?{link.query}")
    filled = Fields(page.content.decode()).values
    for name in ("title", "image", "task", "gpu", "ports", "lifetime", "idle_limit"):
        assert filled[name] == [fields[name]]
    assert filled["env-0-name"] == ["MODE"]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("nonsense=1", "nonsense"),
        ("registry_secret=x", "registry_secret"),
        (f"ssh_key={factories.SSH_KEY}", "ssh_key"),
        ("lifetime=soon", "lifetime"),
        ("gpu_count=many", "gpu_count"),
        ("same_again=on", "same_again"),
        ("copies=20", "copies"),
        ("in-model=x", "model"),
        ("title=" + "x" * 13000, "too long"),
    ],
)
def test_what_a_link_may_not_say_is_ignored_with_a_note(client, team, query, name):
    page = client.get(f"{address(team)}?{query}")
    assert page.status_code == 200
    note = text_of(page)
    assert "Not taken over" in note
    assert name in note
    assert Fields(page.content.decode()).values["title"] == [""]


def test_a_link_of_a_recipe_carries_its_answers(client, team):
    recipe = make_recipe(team)
    at = f"/t/{team.slug}/recipes/{recipe.pk}/launch/"
    fields = Fields(client.get(at).content.decode()).values
    typed = {"in-hours": "3h", "in-model": "flux", "in-hf_token": "hf_canary", "review": "yes"}
    link = urlparse(client.post(at, fields | typed).context["link"])
    assert link.path == at
    assert "canary" not in link.query
    filled = Fields(client.get(f"{at}?{link.query}").content.decode()).values
    assert (filled["in-hours"], filled["in-model"], filled["in-hf_token"]) == (["3h"], ["flux"], [""])


# Prices --------------------------------------------------------------------------------------------------------------


def test_a_highest_price_below_every_offer_is_a_fault_with_the_number(client, team, fields):
    answer = send(client, team, fields, rate_cap_usd="0.50")
    assert "Write 0.69 or more" in faults(answer)["rate_cap_usd"]
    assert not Job.objects.exists()
    answer = send(client, team, fields, rate_cap_usd="0.70", check="yes")
    assert "Some fitting offers cost up to $0.75/h" in text_of(answer)
    assert send(client, team, fields, rate_cap_usd="0.70").status_code == 302


def test_it_says_what_a_forgotten_job_costs_and_what_is_left_of_budgets(client, team, fields):
    values = {"team_day_usd": "10", "member_day_usd": "4", "checkin_first_s": 3600, "checkin_answer_s": 1800}
    AutostopPolicy.objects.update_or_create(pk=team.pk, defaults=values | {"mode": "enforce"})
    page = text_of(send(client, team, fields, lifetime="12h", check="yes")).replace("\xa0", " ")
    assert "If nobody uses it: at most $" in page
    assert "$10.00 of $10.00 left" in page
    assert "Your budget for today" in page


def test_the_smallest_gpu_that_fits_is_suggested(client, team):
    query = {"credential": team.credentials.get().pk, "gpu_count": "1", "min_vram_gb": "20"}
    page = client.get(address(team, "launch-gpus"), query)
    assert "Suggested: RTX 5090, 32 GB, from $0.69/h" in text_of(page)
    assert f'for="id_gpu_{RTX_5090}"' in page.content.decode()
    page = client.get(address(team, "launch-gpus"), query | {"gpu_count": "2"})
    assert "Suggested: 2 × RTX 5090, 32 GB, from $1.38/h" in text_of(page)
