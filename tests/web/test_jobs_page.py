from __future__ import annotations

import pytest
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db


def test_page_shows_jobs(client):
    team = factories.make_team()
    factories.sign_in(client, factories.owner_of(team))
    for status in (
        "QUEUED",
        "LAUNCHING",
        "UNCONFIRMED",
        "PENDING",
        "ASSIGNED",
        "PREPARING",
        "RUNNING",
        "FAILING",
        "CANCELLING",
        "COMPLETED",
        "FAILED",
        "CANCELLED",
    ):
        job = factories.make_job(team, status)
        factories.make_run(job)
        for name in ("job", "job-logs", "job-activity", "job-events", "job-spec"):
            assert client.get(reverse("web:" + name, args=[team.slug, job.pk])).status_code == 200
        for act in ("stop", "extend", "again"):
            assert client.get(reverse("web:job-ask", args=[team.slug, job.pk, act])).status_code == 200
            assert (
                client.get(
                    reverse("web:job-ask", args=[team.slug, job.pk, act]), headers={"HX-Request": "true"}
                ).status_code
                == 200
            )
    for sort in ("newest", "title", "status", "cost", "runtime", "stops"):
        r = client.get(reverse("web:jobs", args=[team.slug]) + "?show=all&sort=" + sort)
        assert r.status_code == 200
    r = client.get(reverse("web:jobs-csv", args=[team.slug]) + "?show=all")
    assert len(b"".join(r.streaming_content).splitlines()) == 13
