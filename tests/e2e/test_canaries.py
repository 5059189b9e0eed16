"""Canaries in the whole product: every process, the broker, the database and the files, real HTTP, and faults everywhere.
Then all that came out and all that is stored is searched, with DEBUG off and on."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dispersed_web.sandbox import Sandbox
from tests.canaries import markers, outside, outside_jobs, outside_people, processes, rounds
from tests.canaries.mail_server import MailServer, mail_server
from tests.canaries.outcome import is_found_wherever_it_is_planted, searched
from tests.canaries.outside import AT, World, refused, taken
from tests.canaries.story import echo, links_in
from tests.e2e.visit import killed
from tests.notifications.receiver import Receiver, receiver
from tests.product import Product, start_fixture  # noqa: F401 - a fixture
from tests.waiting import eventually

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
# Both do the same work; whoever takes a row first does it.
BACKGROUND = ("worker", "reconcile")
# While these are in the database, whatever writes to it breaks with a key in what the database says.
BROKEN = (
    "credentials_credential",
    "credentials_teamsecret",
    "jobs_job",
    "notifications_channel",
    "teams_apitoken",
)


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    keys = [
        (markers.PUBLIC, markers.FIRST_KEY, "canary"),
        (f"{markers.PUBLIC}_2", markers.SECOND_KEY, "canary"),
    ]
    with Sandbox(tmp_path / "cloud", keys=keys) as sandbox:
        yield sandbox


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as server:
        yield server


def settings_for(cloud: Sandbox, mails: MailServer, hook: Receiver) -> dict[str, str]:
    return {
        "DW_DISPERSED_URL": cloud.url,
        "DW_EMAIL_HOST": "127.0.0.1",
        "DW_EMAIL_PORT": str(mails.port),
        "DW_EMAIL_USER": "mailer",
        "DW_EMAIL_PASSWORD": markers.SMTP_PASSWORD,
        "DW_EMAIL_TLS": "0",
        "DW_WEBHOOK_ALLOWED_HOSTS": f"127.0.0.1:{hook.port}",
        "DW_OIDC_ISSUER": "http://127.0.0.1:9",
        "DW_OIDC_CLIENT_ID": "dispersed-web",
        "DW_OIDC_CLIENT_SECRET": markers.OIDC_SECRET,
    }


def keep_keys_in_files(data: Path) -> None:
    """As an installation has them; no process is given them in its environment."""
    folder = data / "secrets"
    folder.mkdir(mode=0o700, parents=True)
    for name, text in (("secret_key", markers.DJANGO_KEY), ("keys", f"canary:{markers.SEALING_TEXT}")):
        (folder / name).touch(0o600)
        (folder / name).write_text(text)


def test_no_canary_comes_out_of_the_whole_product(
    start: Callable[..., Product],
    tmp_path: Path,
    cloud: Sandbox,
    mails: MailServer,
    hook: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep_keys_in_files(tmp_path / "data")
    settings = settings_for(cloud, mails, hook)
    with contextlib.closing(World(start(**settings).started(), cloud, mails, hook)) as world:
        with contextlib.closing(processes.Ear(world.product)) as ear:
            job = live(world, monkeypatch)
            is_stopped_in_vain(world, job)
            rounds.walk(world, "owner", "admin", "member", "viewer")
            is_stopped_all_the_same(world)
            break_all(world)
            searched(world, ear)
        world.product.stop()

        debugging = {"DW_DEBUG": "1", "DW_LOG_LEVEL": "DEBUG", "DW_LOG_FORMAT": "json"}
        world.product = start(port=world.product.port, **settings, **debugging).started()
        with contextlib.closing(processes.Ear(world.product)) as ear:
            break_all(world)
            nowhere = ["/nowhere/", f"{AT}/nowhere/", "/api/v1/nowhere", f"{AT}/jobs/"]
            rounds.look_at(world.people["owner"], nowhere)
            searched(world, ear)
            is_found_wherever_it_is_planted(world, ear)


# What happens --------------------------------------------------------------------------------------------------------


def live(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of a job that runs."""
    world.cloud.control.set_time_scale(30)
    owner = outside.first_start(world)
    for role in ("admin", "member", "viewer"):
        outside_people.invite(world, role)
    outside_people.second_factor(world, world.people["member"], "member@example.org")
    outside_people.forget_a_password(world, world.people["admin"], "admin@example.org")
    outside_people.make_tokens(world, owner)
    outside_jobs.give_private_keys(owner)
    secret = outside_jobs.add_team_secret(world, owner)
    fails_to_sign_on(world)
    job = outside_jobs.launch(owner, secret, "Canary")
    runs(world)
    given = outside_jobs.learn_what_the_job_got(world, "Canary")
    monkeypatch.setattr(
        "dispersed_web.sandbox.views.run_logs",
        lambda _run, spec, *_: echo(given) if spec["title"].startswith("Canary") else "",
    )
    is_killed_between(world, secret)
    taken(owner.get(f"{job}logs/"))
    changed = {"value": markers.CHANGED_SECRET, "note": "", "usable_by": "members"}
    taken(owner.post(f"{AT}/secrets/{secret}/", changed))
    is_warned_and_extended(world)
    taken(world.visitor().get(world.feed))
    return job


def fails_to_sign_on(world: World) -> None:
    """The provider is away."""
    refused(world.visitor().get("/account/oidc/oidc/login/"), 401)


def runs(world: World) -> None:
    """At both sides."""
    running = "SELECT run_running_at FROM jobs_job WHERE title = 'Canary'"
    eventually(lambda: world.one(running), "the job runs")
    (job,) = world.cloud.control.jobs(title="Canary")
    eventually(lambda: world.cloud.control.heartbeats(job["uuid"])["status"], "its heartbeat is heard")


def is_killed_between(world: World, secret: str) -> None:
    """Who launches is killed while the cloud is slow to answer. What waits for the next one is looked at, and then
    refused with the secrets in the refusal."""
    control = world.cloud.control
    control.add_fault("POST /v1/jobs", "stall", times=1, at="after", seconds=5)
    body = outside_jobs.launch_by_api(world, secret)
    eventually(lambda: len(control.jobs()) >= 3, "both requests take effect")
    quoted = " ".join([markers.REGISTRY, markers.ENV_VALUE, markers.TEAM_SECRET, markers.SECOND_KEY])
    with killed(world.product, "worker", "reconcile"):
        control.add_fault("POST /v1/jobs", "status", times=1, status=400, code="invalid", message=quoted)
        taken(world.people["by admin"].send("/api/v1/jobs", body | {"title": "Refused"}, "later"))
        waiting = list(processes.in_broker(world.product))
    assert any("send_launch" in text for _, text in waiting)
    world.pieces += waiting
    why = "SELECT reason FROM jobs_job WHERE reason = 'refused'"
    eventually(lambda: world.sql(why), "a launch is refused")


def is_warned_and_extended(world: World) -> None:
    """As if most of its hour had passed. By a link in the mail, which works once."""
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    moments = (str(now - dt.timedelta(minutes=50)), str(now))
    world.sql("UPDATE jobs_job SET launched_at = ?, evaluate_at = ? WHERE title = 'Canary'", *moments)
    eventually(lambda: links_in(world.mails.mails), "the owner is warned by mail")
    eventually(lambda: links_in([str(body) for body in world.hook.bodies()]), "the team is warned by webhook")
    extend = f"/do/{links_in(world.mails.mails)[0]}/"
    reader = world.visitor()
    for status in (200, 410):
        refused(reader.get(extend, kept=False), status)
        refused(reader.post(extend, kept=False), status)


def is_stopped_in_vain(world: World, job: str) -> None:
    """The cloud refuses at first, quoting, and answers listings badly; the mail server takes nothing meanwhile."""
    control = world.cloud.control
    refusal = {"status": 403, "code": "no", "message": markers.SECOND_KEY}
    control.add_fault("PUT /v1/jobs/{uuid}/cancel", "status", times=1, **refusal)
    for kind, how in (
        ("bad_json", {}),
        ("drop", {"at": "after", "reset": True}),
        ("status", {"status": 500, "message": markers.SECOND_KEY}),
        ("status", {"status": 401, "message": markers.SECOND_KEY}),
    ):
        control.add_fault("GET /v1/jobs", kind, times=1, **how)
    world.mails.refuses = True
    guest = {"email": "guest@example.org", "role": "member", "way": "mail"}
    taken(world.people["owner"].post(f"{AT}/team/invite/", guest))  # of which the owners are told, too
    taken(world.people["admin"].post(f"{job}stop/", {"note": "enough"}))


def is_stopped_all_the_same(world: World) -> None:
    state = "SELECT status FROM jobs_job WHERE title = 'Canary'"
    eventually(lambda: world.one(state) == "CANCELLED", "it is stopped all the same")
    eventually(lambda: world.mails.refused >= 2, "mails of the web server and of the worker are refused")
    world.mails.refuses = False


def break_all(world: World) -> None:
    """The database refuses to write and quotes a key: in pages, by the API, and in the background."""
    quoted = f'BEGIN SELECT "broke with {markers.OTHER_KEY}"(); END'
    moments = {table: f"INSERT ON {table}" for table in BROKEN} | {"work": "UPDATE ON credentials_credential"}
    printed = len(world.product.text())
    for name, moment in moments.items():
        world.sql(f"CREATE TRIGGER canary_{name} BEFORE {moment} {quoted}")
    statuses = [answer.status_code for answer in acts(world)]
    assert statuses.count(500) >= 5, statuses
    eventually(
        lambda: any(
            "OperationalError" in line and line.startswith(BACKGROUND)
            for line in world.product.text()[printed:].splitlines()
        ),
        "the background work breaks, too",
    )
    for name in moments:
        world.sql(f"DROP TRIGGER canary_{name}")


def acts(world: World) -> Iterator[httpx.Response]:
    owner, api = world.people["owner"], world.people["by admin"]
    pair = {"name": "Other", "public_key": f"{markers.PUBLIC}_2", "secret_key": markers.SECOND_KEY}
    yield owner.post(f"{AT}/credentials/add/", pair)
    value = {"name": "other", "value": markers.TEAM_SECRET, "note": "", "usable_by": "members"}
    yield owner.post(f"{AT}/secrets/add/", value)
    yield owner.post("/me/tokens/", {"team": outside.SLUG, "name": "x", "scope": "read", "days": "7"})
    key = uuid.UUID(world.one("SELECT id FROM credentials_credential WHERE state = 'active'"))
    answers = {"credential_id": str(key), "answers": {"token": markers.ANSWER}, "same_again": True}
    recipe = uuid.UUID(world.one("SELECT id FROM recipes_recipe WHERE name = 'Train'"))
    yield api.send(f"/api/v1/recipes/{recipe}/launch", answers, f"broken-{len(world.pieces)}")
    page = f"{AT}/launch/"
    fields: dict[str, Any] = outside_jobs.Fields(owner.get(f"{page}?example=process-dataset").text).values
    typed = {"registry_host": "r.example.com", "registry_user": "r", "registry_secret": markers.REGISTRY}
    yield owner.post(page, fields | typed | outside_jobs.env(("LICENCE", markers.ENV_VALUE, "secret")))
