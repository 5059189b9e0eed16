"""Why a job failed is the cloud's text, and may quote what the job was launched with."""

from __future__ import annotations

import base64

from dispersed_web.dispersed import Secret
from dispersed_web.events.models import Event
from dispersed_web.jobs import launch
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Status
from tests import factories
from tests.jobs.world import World

REGISTRY = "pull-me-not-0451"
VALUE = "correct horse battery"


def test_the_reason_of_a_failure_quotes_no_secret(world: World) -> None:
    spec = factories.make_spec(
        env={"LICENCE": VALUE}, registry_user="reader", registry_secret=Secret(REGISTRY)
    )
    order = launch.Order("Dev", spec, frozenset({"LICENCE"}), 3600)
    job = world.send(world.request(order))
    encoded = base64.b64encode(f"reader:{REGISTRY}".encode()).decode()
    reason = f"pull failed with \x1b[31m{encoded} {REGISTRY}; LICENCE={VALUE} {'x' * 1000}"
    fail(world, job, reason)
    world.pass_time(30)
    job.refresh_from_db()
    told = [job.reason_text, *Event.objects.values_list("sentence", flat=True)]
    assert job.status == Status.FAILED
    assert "pull failed with" in job.reason_text
    assert not [text for text in told for secret in (REGISTRY, VALUE, encoded, "\x1b") if secret in text]
    assert len(job.reason_text) < 400


def fail(world: World, job: Job, reason: str) -> None:
    cloud = world.control._cloud
    world.control.advance(600)
    with cloud.up_to_date():
        for run in cloud.lifecycle.live_runs(job.remote_uuid):
            cloud.lifecycle.end_run(run, "FAILED", reason, cloud.clock.now_ms(), 1)
