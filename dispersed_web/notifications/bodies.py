"""What is sent to a team's webhook, in three formats. Pure. Text of people and of the cloud is escaped for each."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

from dispersed_web.notifications.links import Link
from dispersed_web.notifications.models import ChannelKind
from dispersed_web.notifications.notice import Notice, Words, exact

DISCORD_COLOURS = {
    "green": 0x1A7F4B,
    "amber": 0xB26A00,
    "red": 0xC62828,
    "blue": 0x2459C4,
    "grey": 0x5B6472,
}
# Behind an @ nothing names anybody any more.
_BREAK = "\u200b"
_DISCORD_MARKS = re.compile(r"([\\*_~`|>#+\-\[\]()<])")
_KEPT_DATA = ("rule", "reason", "percent", "status")


def body(kind: str, notice: Notice, links: tuple[Link, ...]) -> bytes:
    """The request's JSON in the format of the channel."""
    make = {ChannelKind.SLACK: slack, ChannelKind.DISCORD: discord, ChannelKind.JSON: plain}[
        ChannelKind(kind)
    ]
    return json.dumps(make(notice, links), ensure_ascii=False).encode()


# Slack: &, < and > are its only special characters, and "verbatim" keeps it from looking for links and names --------


def slack(notice: Notice, links: tuple[Link, ...]) -> dict[str, Any]:
    """``blocks`` for Slack; ``text`` says the same to those that know no blocks (Mattermost, Rocket.Chat)."""
    subject = _said(notice.subject, slack_text, _slack_time)
    details = [f"{label}: {_said(words, slack_text, _slack_date)}" for label, words in notice.facts]
    if notice.calls_off:
        details.append(notice.calls_off)
    sentence = slack_text(notice.sentence)
    pages = _pages(notice)
    linked = [f"<{url}|{slack_text(label)}>" for label, url in _all_links(links, pages)]
    buttons = [_slack_button(link.label, link.url, link.act) for link in links]
    buttons += [_slack_button(label, url) for label, url in pages]
    return {
        "text": "\n".join([f"*{subject}*", sentence, *details, " · ".join(linked)]),
        "blocks": [
            _slack_section(f"*{subject}*\n{sentence}"),
            {"type": "context", "elements": [_slack_markdown("\n".join(details))]},
            {"type": "actions", "elements": buttons},
        ],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def slack_text(text: str) -> str:
    """The text with nothing in it that Slack would read as markup, a mention or a link."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("@", f"@{_BREAK}")


def _slack_time(at: dt.datetime) -> str:
    return f"<!date^{int(at.timestamp())}^{{time}}|{at.astimezone(dt.UTC):%H:%M} UTC>"


def _slack_date(at: dt.datetime) -> str:
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}}, {{time}}|{exact(at, dt.UTC)}>"


def _slack_section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _slack_markdown(text)}


def _slack_markdown(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _slack_button(label: str, url: str, act: str = "") -> dict[str, Any]:
    button = {"type": "button", "text": {"type": "plain_text", "text": label}, "url": url}
    return button | ({"style": "danger"} if act == "stop" else {})


# Discord: a backslash takes the meaning from its marks; nobody is mentioned whatever the text says --------------------


def discord(notice: Notice, links: tuple[Link, ...]) -> dict[str, Any]:
    """The message as Discord's webhooks take it."""
    description = [discord_text(notice.sentence)]
    if notice.calls_off:
        description.append(notice.calls_off)
    linked = _all_links(links, _pages(notice))
    description.append(" · ".join(f"[{label}]({url})" for label, url in linked))
    return {
        "content": _said(notice.subject, discord_text, lambda at: f"<t:{int(at.timestamp())}:t>"),
        "embeds": [
            {
                "description": "\n\n".join(description),
                "color": DISCORD_COLOURS[notice.tone],
                "fields": [
                    {
                        "name": label,
                        "value": _said(words, discord_text, lambda at: f"<t:{int(at.timestamp())}:f>"),
                        "inline": True,
                    }
                    for label, words in notice.facts
                ],
            }
        ],
        "allowed_mentions": {"parse": []},
    }


def discord_text(text: str) -> str:
    """The text with nothing in it that Discord would read as markup, a mention or a link."""
    return _DISCORD_MARKS.sub(r"\\\1", text).replace("@", f"@{_BREAK}").replace("//", f"/{_BREAK}/")


# JSON: described in docs/notifications.md -----------------------------------------------------------------------------


def plain(notice: Notice, links: tuple[Link, ...]) -> dict[str, Any]:
    """The message as JSON for programs; docs/notifications.md describes it."""
    event, job = notice.event, notice.job
    in_utc = lambda at: f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"  # noqa: E731
    return {
        "version": 1,
        "id": event.pk,
        "kind": event.kind,
        "at": event.at.isoformat(),
        "subject": _said(notice.subject, str, in_utc),
        "sentence": notice.sentence,
        "stop_at": notice.stop_at.isoformat() if notice.stop_at else None,
        "calls_off": notice.calls_off,
        "data": {name: event.data[name] for name in _KEPT_DATA if name in event.data},
        "team": {"slug": event.team.slug, "name": event.team.name},
        "job": job
        and {
            "id": str(job.pk),
            "title": job.title,
            "status": job.status,
            "owner": str(job.owner or ""),
            "hourly_rate_usd": None if job.hourly_rate_usd is None else str(job.hourly_rate_usd),
        },
        "url": notice.page,
        "links": [
            {"act": link.act, "minutes": link.minutes, "label": link.label, "url": link.url} for link in links
        ],
    }


def _said(words: Words, escape: Callable[[str], str], moment: Callable[[dt.datetime], str]) -> str:
    return "".join(escape(word) if isinstance(word, str) else moment(word) for word in words)


def _pages(notice: Notice) -> list[tuple[str, str]]:
    again = [("Launch the same again", notice.again)] if notice.again else []
    return [(notice.page_label, notice.page), *again]


def _all_links(links: tuple[Link, ...], pages: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [*((link.label, link.url) for link in links), *pages]
