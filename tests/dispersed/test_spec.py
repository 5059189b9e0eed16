import dataclasses

import pytest

from dispersed_web.dispersed import BATCH, PERSISTENT, REGION_CODES, JobSpec, Secret, Volume, problems_of
from dispersed_web.dispersed.signing import canonical_body

GOOD_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1 me@example.com"
BATCH_SPEC = JobSpec(task=BATCH, title="Process Dataset", image="base", max_timeout_run_ms=900_000)
PERSISTENT_SPEC = JobSpec(
    task=PERSISTENT,
    title="Development Environment",
    description="two\nlines",
    image="registry.example.com:5000/team/base",
    tag="2.7.1-cuda12.8",
    cpu_count=0,
    gpu_count=1,
    gpu_name="NVIDIA RTX 4090",
    min_vram_gb=24,
    min_ram_gb=0,
    min_storage_gb=0,
    max_node_count=1,
    max_retry_count=0,
    max_timeout_assign_ms=300_000,
    max_timeout_start_ms=120_000,
    allowed_region_codes=("us-east-1",),
    registry_host="registry.example.com",
    registry_user="__token__",
    registry_secret=Secret("canary-registry"),
    ssh_key=GOOD_KEY,
    ports=(22, 8000),
    allowed_ips=("203.0.113.7", "203.0.113.0/24", "2001:db8::/32", "0.0.0.0/0"),
    env={"TOKEN": "canary-env", "_A1": ""},
    image_source="registry",
    volumes=(
        Volume("team/data", "/data", "v3", "registry.example.com", "canary-user", Secret("canary-volume")),
        Volume("team/models", "/opt/models"),
    ),
)
DATA = Volume("data", "/data")


def changed(spec=PERSISTENT_SPEC, **changes):
    return dataclasses.replace(spec, **changes)


def test_the_documented_jobs_have_no_problems():
    assert problems_of(BATCH_SPEC) == problems_of(PERSISTENT_SPEC) == {}


def test_the_least_body():
    assert BATCH_SPEC.to_body() == {
        "task": "BATCH",
        "title": "Process Dataset",
        "max_timeout_run_ms": 900_000,
        "parameters": {"type": "docker", "parameters": {"image": "base"}},
    }


def test_the_whole_body():
    body = PERSISTENT_SPEC.to_body()
    assert body == {
        "task": "PERSISTENT",
        "title": "Development Environment",
        "description": "two\nlines",
        "cpu_count": 0,
        "gpu_count": 1,
        "gpu_name": "NVIDIA RTX 4090",
        "min_vram_gb": 24,
        "min_ram_gb": 0,
        "min_storage_gb": 0,
        "max_node_count": 1,
        "max_retry_count": 0,
        "max_timeout_assign_ms": 300_000,
        "max_timeout_start_ms": 120_000,
        "max_timeout_run_ms": None,
        "allowed_region_codes": ["us-east-1"],
        "parameters": {
            "type": "docker",
            "parameters": {
                "image": "registry.example.com:5000/team/base",
                "tag": "2.7.1-cuda12.8",
                "host": "registry.example.com",
                "user": "__token__",
                "secret": "canary-registry",
                "sshkey": GOOD_KEY,
                "ports": [22, 8000],
                "allowed_ips": ["203.0.113.7", "203.0.113.0/24", "2001:db8::/32", "0.0.0.0/0"],
                "env": {"TOKEN": "canary-env", "_A1": ""},
                "imagesrc": "registry",
                "volumes": [
                    {
                        "image": "team/data",
                        "tag": "v3",
                        "registry": "registry.example.com",
                        "user": "canary-user",
                        "secret": "canary-volume",
                        "mount": "/data",
                    },
                    {"image": "team/models", "mount": "/opt/models"},
                ],
            },
        },
    }
    assert canonical_body(body).isascii()


@pytest.mark.parametrize("show", [repr, str, "{}".format])
def test_a_spec_shows_no_secret(show):
    shown = show(PERSISTENT_SPEC)
    assert "canary" not in shown
    assert "__token__" not in shown
    assert "TOKEN" in shown
    assert "Development Environment" in shown


DAY = 86_400_000
FAULTS = [
    ("task", {"task": "SOMETIMES"}, "BATCH or PERSISTENT"),
    ("title", {"title": " "}, "needs a title"),
    ("title", {"title": "café"}, "“é” (latin small letter e with acute)"),
    ("title", {"title": "a\nb"}, "one line"),
    ("title", {"title": "a\u200bb"}, "zero width space"),
    ("description", {"description": "naïve"}, "“ï”"),
    ("description", {"description": "\x00"}, "control"),
    ("description", {"description": "\x7f"}, "control"),
    ("cpu_count", {"cpu_count": -1}, "at least 0"),
    ("gpu_count", {"gpu_count": -1}, "at least 0"),
    ("min_vram_gb", {"min_vram_gb": -1}, "at least 0"),
    ("min_ram_gb", {"min_ram_gb": -1}, "at least 0"),
    ("min_storage_gb", {"min_storage_gb": -1}, "at least 0"),
    ("max_node_count", {"max_node_count": 0}, "at least 1"),
    ("max_retry_count", {"max_retry_count": -1}, "at least 0"),
    ("cpu_count", {"cpu_count": 2**53}, "number of CPU cores"),
    ("max_timeout_assign_ms", {"max_timeout_assign_ms": 299_999}, "at least 5 minutes"),
    ("max_timeout_start_ms", {"max_timeout_start_ms": 119_999}, "at least 2 minutes"),
    ("max_timeout_run_ms", {"max_timeout_run_ms": DAY}, "leave it empty"),
    ("max_timeout_run_ms", {"task": BATCH}, "at least 1 minute"),
    ("max_timeout_run_ms", {"task": BATCH, "max_timeout_run_ms": 59_999}, "at least 1 minute"),
    ("gpu_name", {"gpu_registry_uuid": "0198ac1c-7063-4be8-bb94-57a5bd83548e"}, "not both"),
    ("gpu_name", {"gpu_name": "RTX™"}, "trade mark sign"),
    ("gpu_registry_uuid", {"gpu_name": "", "gpu_registry_uuid": "a b"}, "no spaces"),
    ("allowed_region_codes", {"allowed_region_codes": ("us-east-1", "moon-1")}, "'moon-1' is not a region"),
    ("allowed_region_codes", {"allowed_region_codes": ("us-east-1", "us-east-1")}, "twice"),
    ("image", {"image": ""}, "needs an image"),
    ("image", {"image": "base:latest"}, "without its tag"),
    ("image", {"image": "ba se"}, "no spaces"),
    ("tag", {"tag": "ä"}, "“ä”"),
    ("registry_host", {"registry_host": "a b"}, "no spaces"),
    ("registry_user", {"registry_user": "ü"}, "“ü”"),
    ("registry_secret", {"registry_secret": Secret("abcß")}, "character number 4"),
    ("registry_secret", {"registry_secret": Secret("a b")}, "no spaces"),
    ("image_source", {"image_source": "a\nb"}, "one line"),
    ("volumes", {"volumes": (Volume("", "/data"),)}, "Volume 1 needs an image"),
    ("volumes", {"volumes": (DATA, Volume("data:v3", "/other"))}, "volume 2 must be given without its tag"),
    ("volumes", {"volumes": (Volume("data", "data"),)}, "absolute"),
    ("volumes", {"volumes": (Volume("data", "/"),)}, "absolute"),
    ("volumes", {"volumes": (Volume("data", "/data/../etc"),)}, "absolute"),
    ("volumes", {"volumes": (DATA, Volume("other", "/data/"))}, "/data is in the list twice"),
    ("volumes", {"volumes": (Volume("datä", "/data"),)}, "“ä”"),
    ("volumes", {"volumes": (Volume("data", "/my data"),)}, "no spaces"),
    ("volumes", {"volumes": (Volume("data", "/data", user="a b"),)}, "registry user of volume 1"),
    ("volumes", {"volumes": (Volume("data", "/data", secret=Secret("ß")),)}, "character number 1"),
    ("volumes", {"volumes": tuple(Volume("data", f"/d{n}") for n in range(11))}, "At most 10"),
    ("ssh_key", {"ssh_key": "hello"}, "public key"),
    ("ssh_key", {"ssh_key": f"{GOOD_KEY}\n{GOOD_KEY}"}, "one line"),
    ("ssh_key", {"ssh_key": "-----BEGIN OPENSSH PRIVATE KEY-----"}, "private key"),
    ("ports", {"ports": (22, 0)}, "1 to 65535"),
    ("ports", {"ports": (22, 65536)}, "65536 is not a port"),
    ("ports", {"ports": (22, 80, 80)}, "80 is in the list twice"),
    ("ports", {"ports": (8000,)}, "Port 22"),
    ("allowed_ips", {"allowed_ips": ("203.0.113",)}, "neither"),
    ("allowed_ips", {"allowed_ips": ("203.0.113.7/24",)}, "did you mean 203.0.113.0/24"),
    ("allowed_ips", {"allowed_ips": ("::1/128", "é")}, "neither"),
    ("allowed_ips", {"allowed_ips": ("203.0.113.7", "203.0.113.7")}, "twice"),
    ("env", {"env": {"1A": "x"}}, "'1A' cannot be the name"),
    ("env", {"env": {"A-B": "x"}}, "cannot be the name"),
    ("env", {"env": {"": "x"}}, "cannot be the name"),
    ("env", {"env": {"A": "x\x00"}}, "control"),
    ("env", {"env": {"A": "x\x7f"}}, "control"),
    ("env", {"env": {"A": "xyé"}}, "value of A may have only ASCII characters; its character number 3"),
]


@pytest.mark.parametrize(("field", "changes", "words"), FAULTS)
def test_each_limit_has_a_sentence_beside_its_field(field, changes, words):
    problems = problems_of(changed(**changes))
    assert list(problems) == [field]
    assert words in problems[field]
    assert problems[field].endswith((".", "?"))


@pytest.mark.parametrize("secret", [Secret("canary-ß"), Secret("canary secret")])
def test_a_problem_with_a_secret_does_not_quote_it(secret):
    problems = problems_of(changed(registry_secret=secret, env={"A": "canary-ß", "B=canary": "x"}))
    assert set(problems) == {"registry_secret", "env"}
    assert "canary" not in str(problems)


def test_a_name_with_a_value_pasted_into_it_does_not_show_the_value():
    (sentence,) = problems_of(changed(env={"TOKEN=canary": ""})).values()
    assert "'TOKEN' cannot" in sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"max_timeout_assign_ms": None, "max_timeout_start_ms": None},
        {"gpu_name": "", "gpu_registry_uuid": "0198ac1c-7063-4be8-bb94-57a5bd83548e"},
        {"ssh_key": "", "ports": (8000,)},
        {"ports": ()},
        {"ports": (22, 1, 65535)},
        {"allowed_region_codes": REGION_CODES},
        {"env": {"A": "line\nline\ttab", "B": "~*!'()"}},
        {"task": BATCH, "max_timeout_run_ms": 60_000},
    ],
)
def test_what_is_within_the_limits_is_let_through(changes):
    assert problems_of(changed(**changes)) == {}


def test_the_regions_are_the_36_documented_ones():
    assert len(REGION_CODES) == len(set(REGION_CODES)) == 36
