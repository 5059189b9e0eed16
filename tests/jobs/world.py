"""A team, its credential at the simulated cloud, and a clock that tests move: what the tests of launch and stop share."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import JobSpec
from dispersed_web.events.record import Actor
from dispersed_web.jobs import finding, launch, pursuit, sending, sync
from dispersed_web.jobs.models import Job
from tests import factories


class MovableClock:
    """Starts at the real time, because the cloud checks it, and then moves as the test says."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


class World:
    """One member of one team at one sandbox."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        self.control = sandbox.control
        self.clock = MovableClock()
        self.team = factories.make_team(max_lifetime_s=86400, default_lifetime_s=3600)
        self.user = factories.make_member(self.team)
        self.actor = Actor.person(self.user)
        self.credential = factories.make_credential(self.team, sandbox, listed_at=self.clock.now)

    def order(self, title: str = "Dev", **fields: Any) -> launch.Order:
        task, cook_uuid = fields.pop("task", "PERSISTENT"), fields.pop("cook_uuid", "")
        spec: JobSpec = factories.make_spec(task, title="Dev", **fields)
        return launch.Order(
            title, spec, frozenset(), 3600, "RTX 5090", factories.RATE_USD, cook_uuid=cook_uuid
        )

    def ask(self, **overrides: Any) -> launch.Ask:
        values = {
            "team": self.team,
            "credential": self.credential,
            "user": self.user,
            "actor": self.actor,
            "form_token": uuid.uuid4().hex,
            "now": self.clock.now,
        }
        return launch.Ask(**(values | overrides))

    def request(self, order: launch.Order | None = None, **overrides: Any) -> Job:
        """``overrides`` are those of :meth:`ask` and what :func:`launch.request` takes besides."""
        wishes = {name: overrides.pop(name) for name in ("same_again", "supersedes") if name in overrides}
        return launch.request(order or self.order(), self.ask(**overrides), **wishes)

    def launched(self, **fields: Any) -> Job:
        """A job that the cloud took."""
        job = self.request(self.order(**fields), same_again=True)
        self.send(job)
        assert job.remote_uuid, job.reason_text
        return job

    def send(self, job: Job) -> Job:
        sending.send(job.pk, self.clock)
        job.refresh_from_db()
        return job

    def sync(self) -> bool:
        return sync.sync(self.credential.pk, self.clock)

    def sweep(self) -> None:
        """What the background work does when it comes by."""
        now = self.clock.now
        sending.expire(now)
        for job_id in sending.due(now):
            sending.send(job_id, self.clock)
        for credential_id in {*finding.credentials_to_look_with(now), *sync.due(now)}:
            Credential.objects.filter(pk=credential_id).update(sync_lease_until=None)
            sync.sync(credential_id, self.clock)
        for job_id in pursuit.due_by_key(now):
            tasks.pursue(job_id, self.clock)

    def pass_time(self, seconds: float) -> None:
        """Our clock and the cloud's move, and the background work comes by."""
        self.clock.advance(seconds)
        self.control.advance(seconds)
        self.sweep()

    def settle(self, minutes: int = 12) -> None:
        """Lets time pass with the background work coming by."""
        for step in [3, 5, 7, 15, 30] + [60] * minutes:
            self.clock.advance(step)
            self.sweep()

    def in_ledger(self, job: Job) -> list[dict[str, Any]]:
        """The cloud's own record of what was created for this launch."""
        return [row for row in self.control.jobs() if job.marker in row["title"]]
