"""Every limit of the form: the fault stands beside its field, nothing that was typed is lost, nothing is launched."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.dispersed import problems_of
from dispersed_web.jobs import market, specs
from dispersed_web.jobs.models import Job
from tests import factories
from tests.web.launch_forms import (
    PRIVATE_KEY,
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
)

pytestmark = pytest.mark.django_db

MARKER = "dw-x7k2-0123456789abcdef"
SECOND_LINE = f"{factories.SSH_KEY}\nssh-rsa AAAA"


@pytest.fixture
def team(client):
    return member(client)[0]


@pytest.fixture
def fields(client, team):
    return opened(client, team) | {"title": "T", "image": "org/i", "task": "BATCH"}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("title", "", "required"),
        ("title", "   ", "required"),
        ("title", "x" * 121, "at most 120"),
        ("title", "two\nlines", "one line"),
        ("title", "back\u202ewards", "control characters"),
        ("title", f"old {MARKER}", "marker"),
        ("title", "ｄｗ-x7k2-0123456789abcdef", "marker"),
        ("description", "Größe", "“ö” (latin small letter o with diaeresis)"),
        ("task", "", "required"),
        ("task", "FOREVER", "FOREVER"),
        ("image", "", "required"),
        ("image", "ünicode", "only ASCII"),
        ("image", "a b", "no spaces"),
        ("image", "org/i@sha256:abc", "digest"),
        ("tag", "a b", "no spaces"),
        ("registry_host", "a b", "no spaces"),
        ("registry_user", "ä", "only ASCII"),
        ("registry_secret", "päss", "character number 2"),
        ("credential", "", "required"),
        ("credential", "nonsense", "valid UUID"),
        ("credential", "0198ac1c-7063-4be8-bb94-57a5bd83548e", "of this team"),
        ("gpu", "nonsense", "from the list"),
        ("gpu_count", "", "required"),
        ("gpu_count", "-1", "at least 0"),
        ("gpu_count", "1.5", "whole number"),
        ("cpu_count", "-1", "at least 0"),
        ("cpu_count", "x", "whole number"),
        ("min_vram_gb", "-1", "at least 0"),
        ("min_ram_gb", "-1", "at least 0"),
        ("min_storage_gb", "9007199254740992", "at least 0"),
        ("allowed_region_codes", "moon-1", "moon-1"),
        ("max_node_count", "0", "at least 1"),
        ("max_retry_count", "-1", "at least 0"),
        ("max_timeout_assign", "4m 59s", "at least 5 minutes"),
        ("max_timeout_assign", "", "required"),
        ("max_timeout_start", "119 s", "at least 2 minutes"),
        ("max_timeout_start", "soon", "is not a duration"),
        ("max_timeout_run", "59s", "at least 1 minute"),
        ("max_timeout_run", "", "at least 1 minute"),
        ("max_timeout_run", "90", "90 min or 90 h"),
        ("max_timeout_run", "8d", "longest lifetime that the team allows"),
        ("ports", "22, http", "“http” is not a port number"),
        ("ports", "0", "1 to 65535"),
        ("ports", "65536", "1 to 65535"),
        ("ports", " ".join(map(str, range(1000, 1060))), "At most 50"),
        ("reach", "everybody", "everybody"),
        ("ssh_key", PRIVATE_KEY, "private key"),
        ("ssh_key", "hello", "not a public key"),
        ("ssh_key", SECOND_LINE, "one key on one line"),
        ("ssh_key", "ssh-ed25519 AAAA", "incomplete or damaged"),
        ("env_lines", "this is no variable", "not NAME=value"),
    ],
)
def test_a_fault_stands_beside_its_field(client, team, fields, name, value, sentence):
    answer = send(client, team, fields, **{name: value})
    assert answer.status_code == 422
    assert sentence in faults(answer)[name]
    assert sentence in text_of(answer).replace("&#x27;", "'")
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("changes", "name", "sentence"),
    [
        ({"task": "PERSISTENT", "lifetime": ""}, "lifetime", "needs a time"),
        ({"task": "PERSISTENT", "lifetime": "59s"}, "lifetime", "Between 1m and 7d"),
        ({"task": "PERSISTENT", "lifetime": "7d 1s"}, "lifetime", "Between 1m and 7d"),
        ({"task": "PERSISTENT", "lifetime": "later"}, "lifetime", "is not a duration"),
        ({"gpu": "name", "gpu_name": ""}, "gpu_name", "Write the name"),
        ({"gpu": "name", "gpu_name": "RTX™"}, "gpu_name", "only ASCII"),
        ({"gpu": RTX_5090, "gpu_count": "0"}, "gpu_count", "at least 1"),
        ({"image": "org/i:v1", "tag": "v2"}, "image", "Give one of them"),
        ({"reach": "list", "allowed_ips": ""}, "allowed_ips", "at least one address"),
        ({"reach": "list", "allowed_ips": "300.1.1.1"}, "allowed_ips", "neither an IP address"),
        ({"reach": "list", "allowed_ips": "10.0.0.1/8"}, "allowed_ips", "did you mean 10.0.0.0/8"),
        ({"max_timeout_run": "4d", "max_retry_count": "1"}, "max_timeout_run", "counted once for each try"),
    ],
)
def test_fields_are_held_against_each_other(client, team, fields, changes, name, sentence):
    answer = send(client, team, fields, **changes)
    assert answer.status_code == 422
    assert sentence in faults(answer)[name]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_timeout_assign", "5m"),
        ("max_timeout_start", "2m"),
        ("max_timeout_run", "1m"),
        ("max_timeout_run", "7d"),
        ("gpu_count", "0"),
        ("ports", "65535"),
        ("title", "x" * 120),
    ],
)
def test_the_limits_themselves_are_allowed(client, team, fields, name, value):
    assert send(client, team, fields, **{name: value}).status_code == 302


@pytest.mark.parametrize(
    "changes",
    [
        {"task": "BATCH", "lifetime": "rubbish"},
        {"task": "PERSISTENT", "lifetime": "2h", "max_timeout_run": "rubbish"},
        {"reach": "anyone", "allowed_ips": "rubbish"},
    ],
)
def test_what_does_not_apply_is_not_read(client, team, fields, changes):
    assert send(client, team, fields, **changes).status_code == 302
    assert problems_of(specs.restore(only_job())) == {}


def test_nothing_typed_is_lost(client, team, fields):
    typed = {
        "title": "",
        "description": "words",
        "image": "org/mine",
        "tag": "v9",
        "gpu": "name",
        "gpu_name": "RTX 9090",
        "ports": "8888, http",
        "reach": "list",
        "allowed_ips": "198.51.100.7",
        "max_timeout_run": "90 min",
        "allowed_region_codes": ["eu-west-1", "us-east-1"],
        "registry_secret": " spaced secret",
        "env_lines": "no variable",
        **env(("A", "1"), ("HF_TOKEN", "hf_typed"), ("API_KEY", "visible", "plain"), ("", "orphan")),
    }
    answer = send(client, team, fields | typed)
    back = Fields(answer.content.decode())
    for name, value in typed.items():
        if name.endswith("FORMS"):
            continue
        assert sorted(back.values[name]) == sorted(value if isinstance(value, list) else [value]), name
    assert back.types["env-1-value"] == back.types["registry_secret"] == "password"
    assert back.types["env-0-value"] == back.types["env-2-value"] == "text"
    assert "no-store" in answer["Cache-Control"]


def test_a_private_key_is_neither_kept_nor_sent_back(client, team, fields):
    answer = send(client, team, fields, ssh_key=PRIVATE_KEY)
    assert answer.status_code == 422
    assert b"b3BlbnNzaC1rZXktdjEAAAAA" not in answer.content
    assert b"BEGIN" not in answer.content
    assert not Job.objects.exists()
    assert "b3BlbnNzaC1rZXktdjEAAAAA" not in str(dict(client.session))


@pytest.mark.parametrize("key", ["b3BlbnNzaC1rZXktdjEAAAAA", "ssh-ed25519 AAAA\nb3BlbnNzaC1rZXktdjEAAAAA"])
def test_half_a_private_key_is_not_sent_back_either(client, team, fields, key):
    assert b"b3BlbnNzaC1rZXktdjEAAAAA" not in send(client, team, fields, ssh_key=key).content


# Environment ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "name", "sentence"),
    [
        ([("1A", "x")], "env-0-name", "cannot be the name"),
        ([("A B", "x")], "env-0-name", "cannot be the name"),
        ([("", "x")], "env-0-name", "needs a name"),
        ([("A", "é")], "env-0-value", "character number 1"),
        ([("A", "1"), ("A", "2")], "env-1-name", "twice"),
        ([("DW_LAUNCH", "x")], "env-0-name", "set by Dispersed Web"),
        ([("HF_TOKEN", "")], "env-0-value", "Type the secret value"),
        ([("A", "x", "odd")], "env-0-kind", "odd"),
    ],
)
def test_a_row_says_its_own_fault(client, team, fields, rows, name, sentence):
    answer = send(client, team, fields | env(*rows))
    assert answer.status_code == 422
    assert sentence in faults(answer)[name]
    assert not Job.objects.exists()


def test_names_that_look_secret_are_secret_unless_somebody_says_otherwise(client, team, fields):
    rows = env(
        ("HF_TOKEN", "canary-1"), ("API_KEY", "open", "plain"), ("MODEL", "canary-2", "secret"), ("EMPTY", "")
    )
    assert send(client, team, fields | rows).status_code == 302
    job = only_job()
    assert job.spec["env"] == [
        {"name": "API_KEY", "value": "open", "secret": False},
        {"name": "EMPTY", "value": "", "secret": False},
        {"name": "HF_TOKEN", "value": None, "secret": True},
        {"name": "MODEL", "value": None, "secret": True},
    ]
    assert specs.restore(job).env["MODEL"] == "canary-2"
    for model in (Job, *_tables_about_jobs()):
        assert "canary-" not in str(list(model.objects.values()))


def _tables_about_jobs():
    from dispersed_web.events.models import Event

    return (Event,)


def test_blank_and_removed_rows_are_nothing(client, team, fields):
    rows = env(("", ""), ("GONE", "é"), ("KEPT", "1"), ("", "")) | {"env-1-DELETE": "on"}
    assert send(client, team, fields | rows).status_code == 302
    assert specs.restore(only_job()).env == {"KEPT": "1"}


def test_pasted_lines_become_rows(client, team, fields):
    lines = "# comment\nexport A=1\r\nHF_TOKEN='hf x'\n\nB = \"two words\"\nURL=http://h/?a=b"
    assert send(client, team, fields | env(("FIRST", "0")), env_lines=lines).status_code == 302
    job = only_job()
    expected = {"FIRST": "0", "A": "1", "HF_TOKEN": "hf x", "B": "two words", "URL": "http://h/?a=b"}
    assert specs.restore(job).env == expected
    assert "hf x" not in str(job.spec)


def test_pasted_lines_that_are_none_stay_and_the_others_become_rows(client, team, fields):
    answer = send(client, team, fields | env(), env_lines="A=1\nrubbish")
    back = Fields(answer.content.decode()).values
    assert (back["env-0-name"], back["env_lines"]) == (["A"], ["rubbish"])


def test_tampered_rows_are_refused(client, team, fields):
    assert send(client, team, fields, **{"env-TOTAL_FORMS": "x"}).status_code == 422
    assert send(client, team, fields, **{"env-TOTAL_FORMS": "100000"}).status_code == 422
    assert not Job.objects.exists()


# What the domain refuses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("credential", "team_fields", "place", "sentence"),
    [
        ({"listed_at": None}, {}, "", "302"),
        ({"listed_at": None, "failures": 3, "failure": "No answer."}, {}, "credential", "cannot be seen"),
        ({"clock_offset_ms": 40_000}, {}, "credential", "clock"),
        ({"cancel_refused_at": timezone.now()}, {}, "credential", "refused to stop"),
        ({"expires_at": timezone.now()}, {}, "credential", "key expires"),
        ({}, {"launches_frozen": True}, "__all__", "frozen"),
        ({}, {"max_active_jobs": 0}, "__all__", "may run 0 jobs"),
    ],
)
def test_a_refusal_stands_where_it_can_be_mended(
    client, team, fields, credential, team_fields, place, sentence
):
    team.credentials.update(**credential)
    type(team).objects.update(**team_fields)
    answer = send(client, team, fields)
    if not place:
        assert answer.status_code == 302
        return
    assert answer.status_code == 422
    assert sentence in faults(answer)[place]
    assert sentence in text_of(answer)
    assert not Job.objects.exists()


def test_the_price_cap_counts_the_dearest_offer(client, team, fields):
    from tests.web.launch_forms import with_market

    with_market(team)
    type(team).objects.update(max_hourly_usd="0.72")
    answer = send(client, team, fields, gpu=RTX_5090)
    assert "would burn $0.75/h" in faults(answer)["__all__"]
    assert market.of(team.credentials.get()).offers


def test_faults_of_the_live_parts_are_no_faults(client, team):
    for name in ("launch-gpus", "launch-estimate"):
        rubbish = {
            "gpu": "x",
            "gpu_count": "x",
            "task": "x",
            "lifetime": "x",
            "looks": "x",
            "credential": "x",
        }
        assert client.get(address(team, name), rubbish).status_code == 200


def test_the_profile_is_one_click_away(client, team):
    assert reverse("web:me") in client.get(address(team)).content.decode()


def test_without_a_script_no_variable_is_called_secret_that_is_none(client, team):
    html = client.get(address(team)).content.decode()
    assert '<option value="" selected>By its name</option>' in html
    assert "Secret by name" not in html
