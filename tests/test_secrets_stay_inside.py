"""Canaries for every kind of secret go in by the doors that are meant for them, and by wrong ones. Then everything that
comes out is searched: answers, log lines, events, e-mails, messages to the workers, and every column of every table."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import html
import io
import json
import logging
import re
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import celery
import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.accounts.models import User
from dispersed_web.credentials import vault
from dispersed_web.credentials.masking import MaskSecrets
from dispersed_web.events.models import Audience, Event
from dispersed_web.jobs import launch, logs, pursuit, queries, runs, sending, stop, sync
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.notifications import channels, outbox
from dispersed_web.sandbox import Sandbox
from dispersed_web.teams.models import Team
from tests import factories
from tests.api.caller import Api
from tests.jobs.world import MovableClock
from tests.notifications.receiver import Receiver, receiver
from tests.web.launch_forms import env, opened, send

pytestmark = pytest.mark.django_db

PUBLIC = "pk_sim_canary"
SECRET_KEY = "sk_sim_Canary0SecretKey"
SECOND_KEY = "sk_sim_Canary1SecondKey"
WRONG_KEY = "sk_sim_Canary2WrongKey"
REGISTRY = "registry-canary?7f3a/+"
ENV_VALUE = "env canary & with+odd=5b1c"
PASSWORD = "password-canary-91d2!"
PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nprivateCanaryBody6c0e\n-----END OPENSSH PRIVATE KEY-----"
PRIVATE_BODY = "privateCanaryBody6c0e"
WEBHOOK_PATH = "/services/T0/webhookCanary4d7e"
SEALED = {"secret_sealed", "spec_secrets_sealed", "access_tokens_sealed", "url_sealed"}


def forms_of(secret: str) -> set[str]:
    """The secret as it may be written: plain, in base64 behind anything, for URLs, HTML and JSON."""
    raw = secret.encode()
    encoded = {
        base64.b64encode(raw).decode().rstrip("=")[:-1],
        base64.urlsafe_b64encode(raw).decode().rstrip("=")[:-1],
    }
    for before in (1, 2):
        core = base64.b64encode(b"\0" * before + raw).decode()[before + 1 :].rstrip("=")[:-1]
        encoded |= {core, core.translate(str.maketrans("+/", "-_"))}
    quoted = {
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote(secret),
        urllib.parse.quote_plus(secret),
    }
    return {secret, html.escape(secret), json.dumps(secret)[1:-1]} | encoded | quoted


class Recorder:
    """What came out of the product, each piece with a word for where."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, str]] = []
        self.log = io.StringIO()
        self.allowed: tuple[str, ...] = ()

    def allow(self, *secrets: str) -> None:
        """From here on answers may hold these: a form that is sent back keeps, as dots, what its author just typed."""
        self.allowed = secrets

    def note(self, where: str, text: str) -> None:
        self.pieces.append((where, text))

    def answer(self, response: Any) -> Any:
        body = b"".join(response.streaming_content) if response.streaming else response.content
        where = f"{response.request['REQUEST_METHOD']} {response.request['PATH_INFO']} {response.status_code}"
        text = f"{response.headers}\n{response.cookies}\n{body.decode()}"
        for secret in self.allowed:
            text = text.replace(f'value="{html.escape(secret)}"', "")
        self.note(where, text)
        return response

    def leaks(self, *secrets: str) -> list[str]:
        forms = {form for secret in secrets for form in forms_of(secret)}
        pieces = [*self.pieces, ("log", self.log.getvalue()), *stored()]
        return sorted({f"{where}: {form}" for where, text in pieces for form in forms if form in text})


def stored() -> Iterator[tuple[str, str]]:
    """Every column of every row that is not sealed, sessions unpacked."""
    for model in apps.get_models():
        names = [field.attname for field in model._meta.concrete_fields if field.name not in SEALED]
        for row in model._base_manager.values(*names):
            for name, value in row.items():
                yield f"{model.__name__}.{name}", json.dumps(value, default=str, ensure_ascii=False)
                yield f"{model.__name__}.{name}", str(value)
    for session in Session.objects.all():
        yield "Session", str(session.get_decoded())


class RecordingClient(Client):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__(raise_request_exception=False)
        self.recorder = recorder

    def request(self, **request: Any) -> Any:
        return self.recorder.answer(super().request(**request))


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """Records log lines as the console gets them, and what is sent to the workers."""
    recorder = Recorder()
    handler = logging.StreamHandler(recorder.log)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    handler.addFilter(MaskSecrets())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    monkeypatch.setattr(
        celery.Task,
        "apply_async",
        lambda task, *args, **options: recorder.note("message", f"{task.name} {args} {options}"),
    )
    yield recorder
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def cloud(tmp_path: Path, settings: Any) -> Iterator[Sandbox]:
    """A cloud of its own, whose keys are canaries; its nodes print what they were given."""
    keys = [(PUBLIC, SECRET_KEY, "canary"), (f"{PUBLIC}_2", SECOND_KEY, "canary")]
    with Sandbox(tmp_path, keys=keys) as sandbox:
        settings.DISPERSED_URL = sandbox.url
        settings.DISPERSED_SIMULATED = True
        yield sandbox


@pytest.fixture
def hook(settings: Any) -> Iterator[Receiver]:
    with receiver() as server:
        settings.WEBHOOK_ALLOWED_HOSTS = [("127.0.0.1", server.port)]
        yield server


class Story:
    """One team and its owner, who signed in by the form."""

    def __init__(self, cloud: Sandbox, recorder: Recorder) -> None:
        self.cloud, self.recorder = cloud, recorder
        self.clock = MovableClock()
        self.user = factories.make_user(password=PASSWORD, ssh_key=factories.SSH_KEY)
        self.team: Team = factories.make_team(owner=self.user)
        self.client = RecordingClient(recorder)
        login = {"login": self.user.email, "password": f"{PASSWORD}wrong"}
        self.client.post(reverse("account_login"), login)
        assert self.client.post(reverse("account_login"), login | {"password": PASSWORD}).status_code == 302
        self.api = Api()

    def at(self, name: str, *args: Any) -> str:
        return reverse(f"web:{name}", args=[self.team.slug, *args])

    def add_credential(self) -> None:
        add = self.at("credential-add")
        for public, secret in (
            (SECRET_KEY, SECRET_KEY),
            (SECRET_KEY, PUBLIC),
            (PUBLIC, PRIVATE_KEY),
            (PUBLIC, WRONG_KEY),
        ):
            answer = self.client.post(add, {"name": "Key", "public_key": public, "secret_key": secret})
            assert answer.status_code == 422
        right = {"name": "Key", "public_key": PUBLIC, "secret_key": SECRET_KEY}
        assert self.client.post(add, right).status_code == 302
        credential = self.team.credentials.get()
        right = {"public_key": f"{PUBLIC}_2", "secret_key": SECOND_KEY}
        assert self.client.post(self.at("credential-replace", credential.pk), right).status_code == 302

    def set_webhook(self, hook: Receiver) -> None:
        """Three addresses that are refused, then one that is taken and tried, in vain and well."""
        page = self.at("team-notices")
        for wrong in (f"http://10.0.0.1{WEBHOOK_PATH}", f"https://h:22{WEBHOOK_PATH}", WEBHOOK_PATH):
            assert self.client.post(page, {"kind": "json", "url": wrong}).status_code == 422
        right = {"kind": "json", "url": f"http://127.0.0.1:{hook.port}{WEBHOOK_PATH}"}
        assert self.client.post(page, right).status_code == 302
        hook.answer(404, WEBHOOK_PATH.encode())
        hook.answer(302, Location=WEBHOOK_PATH)
        for _ in range(3):
            self.client.post(self.at("team-notices-test"), follow=True)

    def make_token(self) -> str:
        """The answer that shows it, this once, is not kept."""
        fields = {"team": self.team.slug, "name": "ci", "scope": "operate", "days": "90"}
        answer = self.client.post(reverse("web:me-tokens"), fields)
        text: str = answer.context["made_text"]
        self.recorder.pieces.pop()
        self.api = Api(text)
        self.api.client = RecordingClient(self.recorder)
        return text

    def launch(self) -> None:
        fields = opened(self.client, self.team, "?example=development-environment") | {
            "title": "Canary",
            "image": "org/with-access-token",
            "registry_host": "registry.example.com",
            "registry_user": "reader",
            "registry_secret": REGISTRY,
            "reach": "anyone",
        }
        fields |= env(("LICENCE", ENV_VALUE, "secret"))
        for wrong in ({"max_timeout_start": "never"}, {"ssh_key": PRIVATE_KEY}, {"check": "1"}):
            self.recorder.allow(REGISTRY, ENV_VALUE)
            send(self.client, self.team, fields, **wrong)
            self.recorder.allow()
        assert send(self.client, self.team, fields).status_code == 302, self.recorder.pieces[-1]

    def launch_by_api(self) -> None:
        body = {
            "credential_id": str(self.team.credentials.get().pk),
            "task": "BATCH",
            "title": "Canary too",
            "image": "org/train",
            "gpu_count": 1,
            "max_timeout_run_ms": 3_600_000,
            "registry_host": "registry.example.com",
            "registry_user": "reader",
            "registry_secret": REGISTRY,
            "env": [{"name": "LICENCE", "value": ENV_VALUE, "secret": True}],
        }
        for wrong in ({"max_timeout_run_ms": 1}, {"ssh_key": PRIVATE_KEY}, {"env": {"LICENCE": ENV_VALUE}}):
            assert self.api.launch(body | wrong).status_code == 400
        key = uuid.uuid4().hex
        assert self.api.launch(body, key).status_code == 201
        assert self.api.launch(body, key).status_code == 200
        assert self.api.launch(body | {"title": "Other"}, key).status_code == 409

    def work(self, seconds: float = 0) -> None:
        """The background work comes by."""
        self.clock.now = max(self.clock.now, timezone.now()) + dt.timedelta(seconds=seconds)
        self.cloud.control.advance(seconds)
        for job_id in sending.due(self.clock.now):
            sending.send(job_id, self.clock)
        for credential in self.team.credentials.all():
            sync.sync(credential.pk, self.clock)
        for job_id in pursuit.due(self.clock.now):
            tasks.pursue(job_id, self.clock)
        outbox.fan_out(self.clock.now)
        outbox.send_waiting(self.clock)

    def warn(self, job: Job, mails: list[Any]) -> str:
        """The owner is warned; the address of a link that extends the job."""
        stop_at = (self.clock.now + dt.timedelta(minutes=20)).isoformat()
        data = {"stop_at": stop_at, "rule": "max_lifetime"}
        factories.make_event(
            self.team, "job.warned", job, now=self.clock.now, audience="job_owner", data=data
        )
        self.work()
        return f"/do/{links_in([mails[-1].body])[0]}/"

    def visit(self) -> None:
        """Every page and every list, as a page, as a part, and by the API."""
        credential = self.team.credentials.get()
        addresses = [
            "/",
            "/me/",
            "/inbox/",
            "/api/schema/",
            *map(self.at, PAGES),
            self.at("credential", credential.pk),
        ]
        addresses.append(self.at("credential-replace", credential.pk))
        api = ["/api/v1/jobs?show=all", "/api/v1/credentials", "/api/v1/me"]
        for job in Job.objects.all():
            addresses += [self.at(name, job.pk) for name in JOB_PAGES]
            addresses += [self.at("job-ask", job.pk, act) for act in ("stop", "extend", "again")]
            addresses += [f"{self.at('job-logs', job.pk)}?download", f"{self.at('launch')}?again={job.pk}"]
            api.append(f"/api/v1/jobs/{job.pk}")
        for address in addresses:
            for headers in ({}, {"HX-Request": "true"}):
                assert self.client.get(address, headers=headers).status_code < 400, address
        for address in api:
            assert self.api.get(address).status_code == 200, address


PAGES = (
    "team-home",
    "team",
    "team-events",
    "team-limits",
    "team-notices",
    "credential-add",
    "jobs",
    "jobs-csv",
    "launch",
)
JOB_PAGES = ("job", "job-logs", "job-activity", "job-events", "job-spec")


def echo(secrets: list[str]) -> str:
    """What a careless job prints."""
    lines = []
    for secret in secrets:
        behind = [f"{before}{secret}".encode() for before in ("", "x", "xy", "reader:")]
        lines += [
            secret,
            json.dumps(secret),
            urllib.parse.quote(secret, safe=""),
            urllib.parse.quote_plus(secret),
        ]
        lines += [base64.b64encode(raw).decode() for raw in behind]
        lines += [base64.urlsafe_b64encode(raw).decode() for raw in behind]
    return "\n".join(["begin", *lines, "end"])


def test_no_canary_comes_out(
    cloud: Sandbox,
    recorder: Recorder,
    hook: Receiver,
    mailoutbox: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = Story(cloud, recorder)
    story.client.post(reverse("web:me-ssh-key"), {"ssh_public_key": PRIVATE_KEY, "key": PRIVATE_KEY})
    story.add_credential()
    story.set_webhook(hook)
    api_token = story.make_token()
    story.launch_by_api()
    story.launch()
    quoted = f"cannot use {ENV_VALUE} {REGISTRY} {SECOND_KEY}"
    cloud.control.add_fault("POST /v1/jobs", "status", times=1, status=400, code="invalid", message=quoted)
    story.work()
    story.work(600)
    running = Job.objects.exclude(remote_uuid=None).get()
    assert running.status == "RUNNING"
    run = running.runs.get()
    assert Job.objects.exclude(pk=running.pk).get().reason == "refused"
    tokens = tokens_of(run)
    secrets = [REGISTRY, ENV_VALUE, *tokens]
    monkeypatch.setattr("dispersed_web.sandbox.views.run_logs", lambda *_: echo(secrets))
    story.visit()
    assert "begin" in logs.read(running, run, timezone.now()).text
    cloud.control.add_fault(
        "PUT /v1/jobs/{uuid}/cancel", "status", times=2, status=403, code="no", message=SECOND_KEY
    )
    extend = story.warn(running, mailoutbox)
    assert story.client.get(extend).status_code == 200
    assert story.client.post(extend).status_code == 200
    assert story.client.post(extend).status_code == 410
    assert story.client.post(story.at("job-stop", running.pk), {"note": "enough"}).status_code == 302
    for _ in range(6):
        story.work(30)
    Event.objects.update(audience=Audience.ADMINS, fanned_out_at=None)
    story.work()
    story.visit()
    running.refresh_from_db()
    assert (running.status, running.stop_next_at) == ("CANCELLED", None)
    assert mailoutbox
    links = links_in([mail.body for mail in mailoutbox] + [str(body) for body in hook.bodies()])
    assert len(links) >= 8
    assert recorder.leaks(*links) == []
    for mail in mailoutbox:
        recorder.note("mail", str(mail.message()))
    assert running.spec_secrets_sealed
    assert JobRun.objects.get().access_tokens_sealed
    everything = [
        SECRET_KEY,
        SECOND_KEY,
        WRONG_KEY,
        *secrets,
        api_token,
        PASSWORD,
        PRIVATE_BODY,
        WEBHOOK_PATH,
    ]
    assert recorder.leaks(*everything) == []


def links_in(messages: list[str]) -> list[str]:
    """The tokens of the links that act, which are in messages and nowhere else."""
    return [token for text in messages for token in re.findall(r"/do/([\w-]{43})/", text)]


def tokens_of(run: JobRun) -> list[str]:
    """What the cloud gave to the run for those who connect to it."""
    return vault.unseal(run.access_tokens_sealed, runs.token_place(run.job, run.remote_uuid)).split()


# When something breaks ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def broken(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> Iterator[None]:
    """The function fails with all its arguments in its frame, and quotes a key in what it says."""

    def fail(*args: Any, **options: Any) -> None:
        raise RuntimeError(f"broke with {SECRET_KEY} among {len(args) + len(options)} values")

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail)
        yield


@pytest.mark.parametrize("debug", [False, True])
def test_no_canary_comes_out_of_what_breaks(
    cloud: Sandbox, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, settings: Any, debug: bool
) -> None:
    settings.DEBUG = debug
    story = Story(cloud, recorder)
    story.add_credential()
    api_token = story.make_token()
    job = factories.make_job(story.team, "RUNNING")
    pair = {"name": "Other", "public_key": PUBLIC, "secret_key": SECRET_KEY}
    webhook = {"kind": "json", "url": f"https://hooks.example.com{WEBHOOK_PATH}"}
    acts: list[tuple[Any, str, Callable[[], Any]]] = [
        (User, "check_password", lambda: Client.post(fresh(recorder), "/account/login/", sign_in(story))),
        (
            "dispersed_web.credentials.keeping",
            "try_pair",
            lambda: story.client.post(story.at("credential-add"), pair),
        ),
        (launch, "_store", story.launch),
        (launch, "_store", story.launch_by_api),
        (logs, "_fetch", lambda: story.client.get(story.at("job-logs", job.pk))),
        (stop, "record", lambda: story.client.post(story.at("job-stop", job.pk))),
        (queries, "page", lambda: story.client.get(story.at("jobs"))),
        (channels, "_store", lambda: story.client.post(story.at("team-notices"), webhook)),
    ]
    make_job_runs(job)
    for owner, name, act in acts:
        owner = __import__(owner, fromlist=["x"]) if isinstance(owner, str) else owner
        # The story expects that it works.
        with broken(monkeypatch, owner, name), contextlib.suppress(AssertionError):
            act()
        assert " 500" in recorder.pieces[-1][0], (name, recorder.pieces[-1])
    assert recorder.log.getvalue().count("RuntimeError") >= len(acts)
    leaks = recorder.leaks(SECRET_KEY, SECOND_KEY, REGISTRY, ENV_VALUE, api_token, PASSWORD, WEBHOOK_PATH)
    assert leaks == []


def fresh(recorder: Recorder) -> Client:
    return RecordingClient(recorder)


def sign_in(story: Story) -> dict[str, str]:
    return {"login": story.user.email, "password": PASSWORD}


def make_job_runs(job: Job) -> None:
    factories.make_run(job)
