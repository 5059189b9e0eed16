"""The rows of the jobs table as HTML. A template's loop over fifty rows takes longer than everything else of the page, so
each row's template is rendered once for all tables of a team and then filled: what Django puts into it is the same for all
rows, and ``{name}`` is the place of a row's own word.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from dispersed_web.web.jobs.row_acts import AGAIN, CONNECT, Act
from dispersed_web.web.jobs.rows import Row
from dispersed_web.web.templatetags.jobs import phrase, ticking

# A row has room for so many.
MOST_TAGS = 3


@dataclass(frozen=True, slots=True)
class Places:
    """The addresses that rows lead to: of the jobs, below which each job lies, of the launch form, of the icons, and of
    the decision that held jobs wait for."""

    jobs: str
    launch: str
    icons: str
    hold: str = ""


@dataclass(frozen=True, slots=True)
class Forms:
    """The templates of a row, of its acts by their kinds, and of a tag, each rendered and with places for words."""

    row: str
    acts: dict[str, str]
    tag: str


@functools.lru_cache(maxsize=100)
def forms(places: Places, template: str = "jobs/_row.html", **more: Any) -> Forms:
    """``more`` goes to the ``template`` of a row. Nothing of a job or of a reader is in these."""
    around = {"jobs_url": places.jobs, "icons": places.icons}
    return Forms(
        row=render_to_string(template, around | more),
        acts={name: render_to_string(f"jobs/_act{name}.html") for name in ("", "_asking", "_doing")},
        tag=render_to_string("jobs/_tag.html", around),
    )


def table_rows(rows: Iterable[Row], places: Places, **form: Any) -> SafeString:
    """All rows, every word of theirs escaped; ``form`` chooses their :func:`forms`."""
    chosen = forms(places, **form)
    return mark_safe("".join(table_row(row, places, chosen) for row in rows))  # noqa: S308 - filled below


def table_row(row: Row, places: Places, forms: Forms) -> str:
    """One row as HTML, every word of it escaped."""
    acts = "".join(_filled(forms.acts[_form_of(act)], _act(act, row, places)) for act in row.acts)
    parts = {"acts": mark_safe(acts), "tags": _tags(row, forms.tag)}  # noqa: S308 - filled below
    return _filled(forms.row, _cells(row) | parts)


def _tags(row: Row, form: str) -> SafeString:
    """The first tags, each a link to all jobs that have it, and how many more there are."""
    if not row.tags:
        return SafeString("")
    shown = [_filled(form, {"tag": name, "query": quote(name, safe="")}) for name in row.tags[:MOST_TAGS]]
    more = len(row.tags) - MOST_TAGS
    shown += [f'<span class="muted small">+{more}</span>'] if more > 0 else []
    return mark_safe(f'<span class="row-tags col-tags">{"".join(shown)}</span>')  # noqa: S308 - filled above


def _filled(form: str, words: dict[str, str]) -> str:
    return form.format_map({name: _escaped(word) for name, word in words.items()})


def _escaped(word: str) -> str:
    """As Django escapes, without its look for words that are translated late: there are a thousand on a page."""
    return word if isinstance(word, SafeString) else escape(word)


def _cells(row: Row) -> dict[str, Any]:
    story = row.story
    return {
        "id": row.id,
        "tone": f"row-{row.tone}" if row.tone else "",
        "kind": story.kind,
        "label": story.label,
        "detail": phrase(story.detail),
        "hint": story.hint,
        "title": row.title,
        "owner": row.owner,
        "gpu": row.gpu,
        "runtime": phrase(row.runtime),
        "cost": ticking(row.cost),
        "rate": row.rate + row.rate_note,
        "rate_css": "tone-amber tone" if row.rate_note else "",
        "stops": phrase(row.stops),
        "why": phrase(row.why),
    }


def _form_of(act: Act) -> str:
    if act.does:
        return "_doing"
    return "_asking" if act.asks else ""


def _act(act: Act, row: Row, places: Places) -> dict[str, str]:
    needs_member = act.asks or act in (AGAIN, CONNECT)
    return {
        "address": _address(act, row, places),
        "does": f"{places.jobs}{row.id}/{act.does}",
        "label": act.label,
        "title": f"{act.label}: {row.title}",
        "css": f"btn-{act.look}{' needs-member' * needs_member}",
    }


def _address(act: Act, row: Row, places: Places) -> str:
    if act.name == "again":
        return f"{places.launch}?again={row.id}"
    if act.name == "decide":
        return places.hold
    return f"{places.jobs}{row.id}/{act.name}{'/' * act.asks}"
