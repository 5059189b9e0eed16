"""From adding a key to deleting the team: canaries go in by the doors that are meant for them, and by wrong ones, and then
everything that came out is searched."""

from __future__ import annotations

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from dispersed_web.credentials import sealed
from dispersed_web.events.models import Audience, Event
from dispersed_web.jobs import logs
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.sandbox import Sandbox
from dispersed_web.teams.models import Team
from tests.canaries import markers
from tests.canaries.recording import Recorder
from tests.canaries.searching import Needles
from tests.canaries.story import Story, echo, heartbeat_of, links_in, tokens_of
from tests.notifications.receiver import Receiver

pytestmark = pytest.mark.django_db


def test_no_canary_comes_out(
    cloud: Sandbox, recorder: Recorder, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(cloud, recorder)
    story.client.post(
        reverse("web:me-ssh-key"), {"ssh_public_key": markers.PRIVATE_KEY, "key": markers.PRIVATE_KEY}
    )
    story.client.post(
        story.at("team-ssh-keys"), {"name": "Key", "key": markers.PRIVATE_KEY, "line": markers.PRIVATE_KEY}
    )
    story.add_credential()
    secret = story.add_team_secret()
    story.set_webhook(hook)
    story.make_tokens()
    story.launch_by_api(secret)
    story.launch(secret)
    quoted = f"cannot use {markers.ENV_VALUE} {markers.REGISTRY} {markers.SECOND_KEY} {markers.TEAM_SECRET}"
    cloud.control.add_fault("POST /v1/jobs", "status", times=1, status=400, code="invalid", message=quoted)
    story.work()
    story.work(600)
    running = Job.objects.exclude(remote_uuid=None).get()
    assert running.status == "RUNNING"
    run = running.runs.get()
    assert Job.objects.exclude(pk=running.pk).get().reason == "refused"
    given = [markers.REGISTRY, markers.VOLUME, markers.ENV_VALUE, markers.TEAM_SECRET, *tokens_of(run)]
    given.append(heartbeat_of(running))
    story.needles.add("given to the job", *given[4:])
    monkeypatch.setattr("dispersed_web.sandbox.views.run_logs", lambda *_: echo(given))
    story.change_team_secret(secret)
    story.read_calendar()
    story.visit()
    assert "begin" in logs.read(running, run, timezone.now()).text
    stop_without_luck(story, running)
    Event.objects.update(audience=Audience.ADMINS, fanned_out_at=None)
    story.work()
    story.visit()
    assert running.spec_secrets_sealed
    assert JobRun.objects.get().access_tokens_sealed
    for request_path, headers, body in hook.requests:
        recorder.note("webhook", f"{headers}\n{body.decode()}")
        assert request_path == markers.WEBHOOK_PATH
    links = links_in([mail.body for mail in mail.outbox] + [str(body) for body in hook.bodies()])
    assert len(links) >= 8
    found = Needles()
    found.add("act link", *links)
    pieces = [piece for piece in recorder.everything(mails=False) if piece[0] != "webhook"]
    assert found.find(pieces) == []
    leaks = recorder.leaks(story.needles)
    assert not leaks, "\n".join(leaks)
    delete_the_team(story)


def stop_without_luck(story: Story, job: Job) -> None:
    """The cloud quotes a key while it refuses; the link of a mail works once."""
    fault = {"times": 2, "status": 403, "code": "no", "message": markers.SECOND_KEY}
    story.cloud.control.add_fault("PUT /v1/jobs/{uuid}/cancel", "status", **fault)
    extend = story.warn(job)
    before = len(story.recorder.pieces)
    assert story.client.get(extend).status_code == 200
    assert story.client.post(extend).status_code == 200
    assert story.client.post(extend).status_code == 410
    own = [
        (where.replace(extend, "…"), text.replace(extend, ""))
        for where, text in story.recorder.pieces[before:]
    ]
    story.recorder.pieces[before:] = own
    assert story.client.post(story.at("job-stop", job.pk), {"note": "enough"}).status_code == 302
    for _ in range(6):
        story.work(30)
    job.refresh_from_db()
    assert (job.status, job.stop_next_at) == ("CANCELLED", None)


def delete_the_team(story: Story) -> None:
    """The key is replaced by one of another account, so that the old one goes; then the whole team is deleted."""
    story.replace_credential(f"{markers.PUBLIC}_3", markers.OTHER_KEY)
    assert story.client.post(story.at("team-delete"), {"name": story.team.name, "typed": story.team.name})
    assert Team.objects.get().deleted_at is not None, story.recorder.pieces[-1]
    left = {
        one.name: one.rows().filter(**{one.team: story.team.pk}).count()
        for one in sealed.columns()
        if one.team
    }
    assert set(left.values()) == {0}, left
    assert story.recorder.leaks(story.needles) == []
