"""Filters for words that the browser goes on counting."""

from __future__ import annotations

from html import escape

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from dispersed_web.web.jobs.rows import Cost
from dispersed_web.web.words import Phrase

register = template.Library()


@register.filter
def phrase(value: Phrase | str) -> SafeString:
    """The words of a :class:`Phrase`, its moment as a ``<time>`` that ticks; of a text the text."""
    if isinstance(value, str):
        return conditional_escape(value)
    # Plain words, so without Django's look for what is translated late: there are hundreds on a page.
    before = escape(value.before)
    if value.at is None:
        return mark_safe(before)  # noqa: S308 - escaped above
    at = value.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    text, after = escape(value.text), escape(value.after)
    return mark_safe(f'{before}<time datetime="{at}" data-tick="{value.tick}">{text}</time>{after}')  # noqa: S308 - escaped above


@register.filter
def ticking(value: Cost) -> SafeString:
    """A cost, counted on by the browser while it bills."""
    text = conditional_escape(value.text)
    if value.since is None:
        return text
    since = value.since.strftime("%Y-%m-%dT%H:%M:%SZ")
    return mark_safe(  # noqa: S308 - escaped above, the rest are numbers
        f'<span data-tick="cost" data-rate-usd-per-hour="{value.hourly_rate_usd}" data-since="{since}" '
        f'data-base-usd="{value.base_usd}">{text}</span>'
    )
