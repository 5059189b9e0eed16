"""The ways into a machine, by its image and recipe: commands, links, forwards; and what is copied holds no secret."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.web.job import connection, image_kinds, ways

NOW = dt.datetime(2026, 11, 23, 14, 0, tzinfo=dt.UTC)


def made(image: str = "dispersednetwork/base", **fields: Any) -> Job:
    spec = {"image": image, "ssh_key": "k", "ports": [22]} | fields.pop("spec", {})
    values = {"title": "Dev box", "task": "PERSISTENT", "running_at": NOW - dt.timedelta(hours=1)} | fields
    return Job(status="RUNNING", spec=spec, **values)


def url(port: int, outer: int = 41822, **fields: Any) -> dict[str, Any]:
    said = {"description": "ssh" if port == 22 else str(port), "hostname": "ml3.example.net", "port": outer,
            "container_port": port, "protocol": "tcp", "tls": False}  # fmt: skip
    return said | fields


def node(
    job: Job, *urls: dict[str, Any], recipe: dict[str, Any] | None = None, **run: Any
) -> connection.Node:
    found = connection.connection(job, [JobRun(status="RUNNING", node_urls=list(urls), **run)], NOW, recipe)
    assert found.state == "ready"
    return found.nodes[0]


def test_the_config_block_takes_a_new_key_at_each_start():
    assert node(made(), url(22)).config == (
        "Host dw-dev-box\n"
        "    HostName ml3.example.net\n"
        "    Port 41822\n"
        "    User duser\n"
        "    StrictHostKeyChecking accept-new\n"
        "    ServerAliveInterval 30"
    )


@pytest.mark.parametrize(
    ("title", "alias"),
    [
        ("Fine-tune Llama 3", "dw-fine-tune-llama-3"),
        ("; rm -rf / #", "dw-rm-rf"),
        ("Übung", "dw-ubung"),
        ("研究", "dw-job"),
        ("x" * 200, "dw-" + "x" * 40),
        ("a\nHost evil", "dw-a-host-evil"),
    ],
)
def test_an_alias_is_one_harmless_word(title, alias):
    assert ways.alias_of(title, 1, 1) == alias


def test_several_nodes_have_a_block_each():
    runs = [JobRun(status="RUNNING", node_urls=[url(22, outer)]) for outer in (41001, 41002)]
    found = connection.connection(made(), runs, NOW)
    assert [one.config.splitlines()[0] for one in found.nodes] == ["Host dw-dev-box-1", "Host dw-dev-box-2"]
    assert [one.ssh for one in found.nodes] == [
        "ssh -p 41001 duser@ml3.example.net",
        "ssh -p 41002 duser@ml3.example.net",
    ]


@pytest.mark.parametrize(
    ("image", "link"),
    [
        (
            "dispersednetwork/base",
            "vscode://vscode-remote/ssh-remote+duser@ml3.example.net:41822/opt/dispersedworker/",
        ),
        ("unsloth/unsloth", "vscode://vscode-remote/ssh-remote+unsloth@ml3.example.net:41822/"),
        ("ghcr.io/me/mine", "vscode://vscode-remote/ssh-remote+duser@ml3.example.net:41822/"),
    ],
)
def test_the_link_of_vs_code(image, link):
    assert node(made(image), url(22)).vscode == link


def test_an_address_of_six_parts_stands_in_brackets():
    found = node(made(), url(22, hostname="2001:db8::7"), url(8888, 41900, hostname="2001:db8::7"))
    assert found.ssh == "ssh -p 41822 duser@2001:db8::7"
    assert "@[2001:db8::7]:41822/" in found.vscode
    assert found.ports[0].url == "http://[2001:db8::7]:41900/"


@pytest.mark.parametrize(
    ("image", "port", "label"),
    [
        ("dispersednetwork/comfyui", 8188, "ComfyUI"),
        ("dispersednetwork/comfyui", 5000, "Web page with sign-in"),
        ("dispersednetwork/llama.cpp_accesstoken_preload", 8080, "llama.cpp"),
        ("ollama/ollama", 11434, "Ollama"),
        ("dispersednetwork/acestep", 7860, "ACE-Step"),
        ("x/y", 8888, "Jupyter"),
        ("x/y", 9999, ""),
    ],
)
def test_ports_have_the_names_of_what_answers(image, port, label):
    assert node(made(image), url(22), url(port, 41900)).ports[0].label == label


def test_what_is_not_published_is_forwarded():
    found = node(made("dispersednetwork/comfyui"), url(22))
    assert [(one.port, one.command, one.url) for one in found.forwards] == [
        (8188, "ssh -N -L 8188:localhost:8188 -p 41822 duser@ml3.example.net", "http://localhost:8188/")
    ]
    published = node(made("dispersednetwork/comfyui"), url(22), url(8188, 41900))
    assert published.forwards == ()
    assert [one.port for one in published.local] == [8188]


def test_without_ssh_nothing_is_forwarded():
    found = node(made("dispersednetwork/comfyui"), url(5000, 41900))
    assert (found.ssh, found.config, found.vscode, found.forwards, found.local) == ("", "", "", (), ())


def test_a_recipe_names_user_links_and_text():
    recipe = {
        "ssh_user": "ubuntu",
        "text": "Open the **studio**.",
        "links": [
            {"port": 7860, "label": "Studio", "path": "/app?theme=dark"},
            {"port": 9000, "label": "Metrics"},
        ],
    }
    found = node(made("x/y"), url(22), url(7860, 41900, tls=True), recipe=recipe)
    assert found.ssh == "ssh -p 41822 ubuntu@ml3.example.net"
    assert [(one.label, one.url) for one in found.links] == [
        ("Studio", "https://ml3.example.net:41900/app?theme=dark")
    ]
    assert [(one.port, one.label) for one in found.forwards] == [(9000, "Metrics")]
    assert found.ports[0].label == "Studio"


@pytest.mark.parametrize("user", ["-oProxyCommand=evil", "a b", "root; rm -rf /", "x" * 80, None, 7, ["a"]])
def test_a_user_that_is_none_is_not_put_into_a_command(user):
    assert node(made(), url(22), recipe={"ssh_user": user}).ssh == "ssh -p 41822 duser@ml3.example.net"


@pytest.mark.parametrize(
    ("path", "ends"),
    [
        ("//evil.example/x", ":41900/evil.example/x"),
        ("javascript:alert(1)", ":41900/javascript:alert(1)"),
        ('"><script>', ":41900/%22%3E%3Cscript%3E"),
        ("a b", ":41900/a%20b"),
        (None, ":41900/"),
    ],
)
def test_a_path_never_leaves_the_machine(path, ends):
    recipe = {"links": [{"port": "7860", "label": "x", "path": path}]}
    found = node(made("x/y"), url(7860, 41900), recipe=recipe)
    assert found.links[0].url == f"http://ml3.example.net{ends}"


@pytest.mark.parametrize("links", [None, ["x"], [{}], [{"port": "ssh"}], [{"port": None, "label": 1}]])
def test_links_that_are_none_are_left_out(links):
    assert node(made("x/y"), url(22), url(7860, 41900), recipe={"links": links}).links == ()


def test_what_is_copied_holds_no_secret():
    env = [
        {"name": "BASIC_AUTH", "value": None, "secret": True},
        {"name": "HF_TOKEN", "value": "canary-of-env", "secret": False},
    ]
    job = made("dispersednetwork/comfyui", spec={"env": env, "registry_user": "canary-user"})
    run = JobRun(status="RUNNING", node_urls=[url(22), url(5000, 41900)], access_tokens_sealed="v1|canary")
    found = connection.connection(job, [run], NOW)
    assert "canary" not in repr(found)
    assert "BASIC_AUTH" in found.sign_in


def test_an_access_token_is_said_to_exist_and_is_not_shown():
    job = made("dispersednetwork/llama.cpp_accesstoken_preload")
    run = JobRun(status="RUNNING", node_urls=[url(5000, 41900)], access_tokens_sealed="v1|sealed")
    found = connection.connection(job, [run], NOW)
    assert found.has_token
    assert "the password the access token" in found.sign_in
    assert "sealed" not in repr(found)


@pytest.mark.parametrize("status", ["PENDING", "ASSIGNED", "PREPARING"])
def test_an_address_before_the_container_runs_is_no_way_in(status):
    job = made()
    job.status = status
    assert connection.connection(job, [JobRun(status=status, node_urls=[url(22)])], NOW).state == "waiting"


def test_an_unknown_status_with_an_address_can_be_tried():
    assert (
        connection.connection(made(), [JobRun(status="WARMED_UP", node_urls=[url(22)])], NOW).state == "ready"
    )


def test_a_cooked_job_without_an_address_is_told_its_trap():
    found = connection.connection(made(cook_uuid="r-1", spec={"ssh_key": "", "ports": []}), [], NOW)
    assert found.state == "late"
    assert "cooked from a recipe of" in found.sentence


def test_a_later_run_has_its_own_time_to_get_an_address():
    job = made(run_running_at=NOW - dt.timedelta(minutes=1))
    assert connection.connection(job, [], NOW).state == "waiting"


@pytest.mark.parametrize(
    ("image", "user", "is_vendors"),
    [
        ("dispersednetwork/base", "duser", True),
        ("otoy/dispersed-base", "duser", True),
        ("unsloth/unsloth", "unsloth", False),
        ("pytorch/pytorch", "duser", False),
        ("", "duser", False),
    ],
)
def test_kinds_of_images(image, user, is_vendors):
    kind = image_kinds.kind_of(image)
    assert (kind.user, kind.is_vendors) == (user, is_vendors)
    assert bool(kind.tip) is (is_vendors or "unsloth" in image)
