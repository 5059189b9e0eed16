"""Planned stops as an iCalendar file. Pure: the same plan gives the same bytes, so that an ETag can name them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from urllib.parse import urlsplit

from icalendar import Alarm, Calendar, Event

from dispersed_web.autostop.planned import Planned
from dispersed_web.credentials.masking import mask

ALARM_BEFORE = dt.timedelta(minutes=15)
ASK_AGAIN = dt.timedelta(minutes=15)
PRODUCT = "-//Dispersed Web//Planned stops//EN"


def file(name: str, planned: Iterable[Planned], public_url: str) -> bytes:
    """The calendar ``name`` with everything that is planned; its links lead to ``public_url``. Times are UTC."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", ASK_AGAIN, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT15M")
    for one in planned:
        calendar.add_component(_event(one, public_url))
    return calendar.to_ical()


def _event(one: Planned, public_url: str) -> Event:
    job = one.job
    title = mask(" ".join(job.title.split()))
    page = f"{public_url}/t/{job.team.slug}/jobs/{job.pk}/"
    owner = str(job.owner) if job.owner else "nobody"
    summary = f"{one.what}: {title}"
    event = Event()
    event.add("uid", f"{job.pk}-{one.kind}@{urlsplit(public_url).hostname}")
    event.add("dtstamp", one.changed_at)
    event.add("last-modified", one.changed_at)
    # Grows with every change of the plan.
    event.add("sequence", max(0, int((one.changed_at - job.created_at).total_seconds())))
    event.add("dtstart", one.at)
    event.add("summary", summary)
    lines = [mask(one.why), f"Owner: {owner}. Team: {job.team.name}.", page]
    event.add("description", "\n".join(line for line in lines if line))
    event.add("url", page)
    event.add("status", "CONFIRMED" if one.is_sure else "TENTATIVE")
    event.add("transp", "TRANSPARENT")
    event.add("class", "PRIVATE")
    if not one.is_over:
        event.add_component(_alarm(summary))
    return event


def _alarm(summary: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", summary)
    alarm.add("trigger", -ALARM_BEFORE)
    return alarm
