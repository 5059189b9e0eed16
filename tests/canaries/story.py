"""One team, its owner, and what they do with every kind of secret that a job can need."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import urllib.parse
import uuid
from typing import Any
from unittest import mock

from django.core import mail
from django.urls import reverse
from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.credentials import vault
from dispersed_web.credentials.models import Credential, TeamSecret
from dispersed_web.events import chain
from dispersed_web.jobs import pursuit, runs, sending, specs, sync
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.notifications import outbox
from dispersed_web.sandbox import Sandbox
from dispersed_web.teams.models import Team
from dispersed_web.web import live
from tests import factories
from tests.api.caller import Api
from tests.canaries import markers
from tests.canaries.recording import Recorder, RecordingClient
from tests.canaries.searching import Needles
from tests.jobs.world import MovableClock
from tests.notifications.receiver import Receiver
from tests.web.launch_forms import env, opened, send

PAGES = (
    *("team-home", "team", "team-events", "team-limits", "team-notices", "team-tokens", "team-settings"),
    *("credentials", "credential-add", "secrets", "secret-add", "jobs", "jobs-csv", "launch", "inventory"),
    *("recipes", "autostop"),
)
JOB_PAGES = ("job", "job-logs", "job-activity", "job-events", "job-spec")


class Story:
    """One team and its owner, who signed in by the form."""

    def __init__(self, cloud: Sandbox, recorder: Recorder) -> None:
        self.cloud, self.recorder = cloud, recorder
        self.clock = MovableClock()
        self.user = factories.make_user(password=markers.PASSWORD, ssh_key=factories.SSH_KEY)
        self.team: Team = factories.make_team(owner=self.user)
        self.client, self.api = RecordingClient(recorder), Api()
        login = {"login": self.user.email, "password": markers.WRONG_PASSWORD}
        self.client.post("/account/login/", login)
        right = login | {"password": markers.PASSWORD}
        assert self.client.post("/account/login/", right).status_code == 302
        self.needles = Needles(**markers.INSTALLATION)
        self.needles.add("password", markers.PASSWORD, markers.WRONG_PASSWORD)
        keys = (markers.FIRST_KEY, markers.SECOND_KEY, markers.OTHER_KEY, markers.WRONG_KEY)
        self.needles.add("secret key", *keys)
        self.needles.add("private key", markers.PRIVATE_BODY)
        self.needles.add("webhook", markers.WEBHOOK_PART)
        typed = (markers.REGISTRY, markers.VOLUME, markers.ENV_VALUE)
        self.needles.add("typed at launch", *typed)
        self.needles.add("team secret", markers.TEAM_SECRET, markers.CHANGED_SECRET)

    def at(self, name: str, *args: Any) -> str:
        return reverse(f"web:{name}", args=[self.team.slug, *args])

    @property
    def credential(self) -> Credential:
        return self.team.credentials.exclude(state__in=("gone", "retired")).get()

    # Keys and secrets --------------------------------------------------------------------------------------------------

    def add_credential(self) -> None:
        """Wrong pairs, a secret in the wrong field, the right pair, and another of the same account in its place."""
        add = self.at("credential-add")
        for public, secret in (
            (markers.FIRST_KEY, markers.FIRST_KEY),
            (markers.FIRST_KEY, markers.PUBLIC),
            (markers.PUBLIC, markers.PRIVATE_KEY),
            (markers.PUBLIC, markers.WRONG_KEY),
        ):
            answer = self.client.post(add, {"name": "Key", "public_key": public, "secret_key": secret})
            assert answer.status_code == 422
        right = {"name": "Key", "public_key": markers.PUBLIC, "secret_key": markers.FIRST_KEY}
        assert self.client.post(add, right).status_code == 302
        self.replace_credential(f"{markers.PUBLIC}_2", markers.SECOND_KEY)

    def replace_credential(self, public: str, secret: str) -> Any:
        fields = {"public_key": public, "secret_key": secret}
        answer = self.client.post(self.at("credential-replace", self.credential.pk), fields)
        assert answer.status_code == 302, self.recorder.pieces[-1]
        return answer

    def add_team_secret(self) -> TeamSecret:
        """Two wrong attempts, one that is taken, and another value for it."""
        typed = {"name": "hf-token", "value": markers.TEAM_SECRET, "note": "", "usable_by": "members"}
        add = self.at("secret-add")
        for wrong in ({"name": markers.TEAM_SECRET}, {"note": "n" * 999}):
            self.recorder.allow(markers.TEAM_SECRET)
            assert self.client.post(add, typed | wrong).status_code == 422
            self.recorder.allow()
        assert self.client.post(add, typed).status_code == 302
        assert self.client.post(add, typed).status_code == 422  # the name is taken
        return self.team.secrets.get()

    def change_team_secret(self, secret: TeamSecret) -> None:
        changed = {"value": markers.CHANGED_SECRET, "note": "", "usable_by": "members"}
        answer = self.client.post(self.at("secret", secret.pk), changed)
        assert answer.status_code == 302, answer.context["form"].errors

    def set_webhook(self, hook: Receiver) -> None:
        """Three addresses that are refused, then one that is taken and tried, in vain and well; what it is signed with."""
        page, path = self.at("team-notices"), markers.WEBHOOK_PATH
        for wrong in (f"http://10.0.0.1{path}", f"https://h:22{path}", path):
            assert self.client.post(page, {"kind": "json", "url": wrong}).status_code == 422
        right = {"kind": "json", "url": f"http://127.0.0.1:{hook.port}{path}"}
        assert self.client.post(page, right).status_code == 302
        answer = self.client.post(self.at("team-notices-signing"))
        self.recorder.shown_once()
        signing = answer.context["signing_secret"]
        self.needles.add("signing secret", signing, signing.removeprefix("whsec_"))
        hook.answer(404, path.encode())
        hook.answer(302, Location=path)
        for _ in range(3):
            self.client.post(self.at("team-notices-test"), follow=True)

    def make_tokens(self) -> None:
        """A personal token, one of the team, and a calendar's address: the answers that show them are not kept."""
        fields = {"team": self.team.slug, "name": "ci", "scope": "admin", "days": "90"}
        for page in (reverse("web:me-tokens"), self.at("team-tokens")):
            text: str = self.client.post(page, fields).context["made_text"]
            self.recorder.shown_once()
            self.needles.add("API token", text, text[4:])
        self.api = Api(text)
        self.api.client = RecordingClient(self.recorder)
        answer = self.client.post(reverse("web:me-calendar"), follow=True)
        self.feed = re.search(r"/cal/([\w-]{20,})\.ics", answer.content.decode())[1]
        self.recorder.shown_once()
        self.needles.add("calendar", self.feed)

    def read_calendar(self) -> None:
        """The address is what was asked for; what came back is kept."""
        answer = RecordingClient(self.recorder).get(f"/cal/{self.feed}.ics")
        assert answer.status_code == 200
        where, text = self.recorder.pieces.pop()
        self.recorder.note(where.replace(self.feed, "…"), text)

    # Launching -----------------------------------------------------------------------------------------------------------

    def fields(self, secret: TeamSecret | None = None) -> dict[str, Any]:
        fields = opened(self.client, self.team, "?example=development-environment") | {
            "title": "Canary",
            "image": "org/with-access-token",
            "registry_host": "registry.example.com",
            "registry_user": "reader",
            "registry_secret": markers.REGISTRY,
            "reach": "anyone",
        }
        volume = {"image": "org/data", "mount": "/data", "user": "robot", "secret": markers.VOLUME}
        fields |= {f"volume-0-{name}": value for name, value in volume.items()}
        fields |= {"volume-TOTAL_FORMS": "1", "volume-INITIAL_FORMS": "0"}
        rows = [("LICENCE", markers.ENV_VALUE, "secret")]
        return fields | env(*rows, *([("HF_TOKEN", "", f"team:{secret.pk}")] if secret else []))

    def launch(self, secret: TeamSecret | None = None) -> None:
        """Faults first; then a review, a preset, and the launch."""
        fields = self.fields(secret)
        for wrong in (
            {"max_timeout_start_ms": "never", "max_timeout_start": "never"},
            {"ssh_key": markers.PRIVATE_KEY},
            {"check": "1"},
            {"review": "1"},
            {"preset_name": "Mine", "save_preset": "yes"},
        ):
            self.recorder.allow(markers.REGISTRY, markers.ENV_VALUE, markers.VOLUME)
            send(self.client, self.team, fields, **wrong)
            self.recorder.allow()
        assert send(self.client, self.team, fields).status_code == 302, self.recorder.pieces[-1]

    def launch_by_api(self, secret: TeamSecret | None = None) -> None:
        rows = [{"name": "LICENCE", "value": markers.ENV_VALUE, "secret": True}]
        if secret:
            rows.append({"name": "HF_TOKEN", "team_secret_id": str(secret.pk)})
        body: dict[str, Any] = {
            "credential_id": str(self.credential.pk),
            "task": "BATCH",
            "title": "Canary too",
            "same_again": True,
            "image": "org/train",
            "gpu_count": 1,
            "max_timeout_run_ms": 3_600_000,
            "registry_host": "registry.example.com",
            "registry_user": "reader",
            "registry_secret": markers.REGISTRY,
            "volumes": [{"image": "org/data", "mount": "/data", "user": "robot", "secret": markers.VOLUME}],
            "env": rows,
        }
        for wrong in (
            {"max_timeout_run_ms": 1},
            {"ssh_key": markers.PRIVATE_KEY},
            {"env": {"LICENCE": markers.ENV_VALUE}},
            {"credential_id": markers.SECOND_KEY},
            {"task": markers.ENV_VALUE},
            {"registry_secret": [markers.REGISTRY]},
        ):
            assert self.api.launch(body | wrong).status_code == 400, wrong
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
        for credential in self.team.credentials.exclude(state="gone"):
            sync.sync(credential.pk, self.clock)
        for job_id in pursuit.due_by_key(self.clock.now):
            tasks.pursue(job_id, self.clock)
        outbox.fan_out(self.clock.now)
        outbox.send_waiting(self.clock)
        chain.seal_waiting()

    def warn(self, job: Job) -> str:
        """The owner is warned; the address of a link that extends the job."""
        stop_at = (self.clock.now + dt.timedelta(minutes=20)).isoformat()
        data = {"stop_at": stop_at, "rule": "max_lifetime"}
        now = self.clock.now
        factories.make_event(self.team, "job.warned", job, now=now, audience="job_owner", data=data)
        self.work()
        return f"/do/{links_in([mail.outbox[-1].body])[0]}/"

    # Looking -------------------------------------------------------------------------------------------------------------

    def visit(self) -> None:
        """Every page and every list, as a page, also as a part where there is one, and by the API; exports as files."""
        credential = self.credential
        addresses = ["/", "/me/", "/me/security/", "/inbox/", *map(self.at, PAGES)]
        addresses += [
            self.at(f"credential{part}", credential.pk) for part in ("", "-replace", "-use", "-delete")
        ]
        addresses += [f"{self.at('team-events-export')}?format={form}" for form in ("json", "csv")]
        addresses += [
            self.at(name, one.pk) for one in self.team.secrets.all() for name in ("secret", "secret-remove")
        ]
        names = ("jobs?show=all", "credentials", "secrets", "me", "events", "presets", "recipes")
        api = [f"/api/v1/{name}" for name in names]
        for job in Job.objects.all():
            addresses += [self.at(name, job.pk) for name in JOB_PAGES]
            addresses += [self.at("job-ask", job.pk, act) for act in ("stop", "extend", "again")]
            addresses += [f"{self.at('job-logs', job.pk)}?download", f"{self.at('launch')}?again={job.pk}"]
            addresses.append(self.at("recipe-from-job", job.pk))
            api.append(f"/api/v1/jobs/{job.pk}")
        for address in addresses:
            with mock.patch.object(live, "is_part", wraps=live.is_part) as asks_which:
                assert self.client.get(address).status_code < 400, address
            if asks_which.called:
                assert self.client.get(address, headers={"HX-Request": "true"}).status_code < 400, address
        for address in api:
            assert self.api.get(address).status_code == 200, self.recorder.pieces[-1]


def links_in(messages: list[str]) -> list[str]:
    """The tokens of the links that act, which are in messages and nowhere else."""
    return [token for text in messages for token in re.findall(r"/do/([\w-]{43})/", text)]


def tokens_of(run: JobRun) -> list[str]:
    """What the cloud gave to the run for those who connect to it."""
    return vault.unseal(run.access_tokens_sealed, runs.token_place(run.job, run.remote_uuid)).split()


def heartbeat_of(job: Job) -> str:
    return specs.heartbeat_url(job).rpartition("/")[2]


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
