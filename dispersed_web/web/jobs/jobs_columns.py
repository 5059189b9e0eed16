"""The columns of the jobs table, and which of them a reader hides. Rows are the same for all readers: a class around the
table hides what this one does not want to see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest

HIDDEN = "jobs_columns_hidden"
# Sort, label and classes of the headings
HEADINGS = (
    ("status", "Status", ""),
    ("title", "Job", ""),
    ("", "GPU", "cell-extra col-gpu"),
    ("runtime", "Runtime", "num cell-optional col-runtime"),
    ("cost", "Cost", "num col-cost"),
    ("stops", "Stops", "col-stops"),
)
# What may be hidden: status, title and the acts always stay.
CHOICES = {
    "owner": "Owner",
    "tags": "Tags",
    "gpu": "GPU",
    "runtime": "Runtime",
    "cost": "Cost",
    "stops": "Stops",
}


@dataclass(frozen=True)
class Choice:
    """A column that can be hidden."""

    name: str
    label: str
    is_shown: bool


def hidden(request: HttpRequest) -> tuple[str, ...]:
    """The names of the columns that this reader hides."""
    stored = request.session.get(HIDDEN, ())
    return tuple(name for name in CHOICES if name in stored)


def choices(request: HttpRequest) -> list[Choice]:
    """The columns that may be hidden, and whether this reader shows each."""
    gone = hidden(request)
    return [Choice(name, label, name not in gone) for name, label in CHOICES.items()]


def choose(request: HttpRequest, shown: Iterable[str]) -> None:
    """Stores the choice with the reader's session; nothing is stored for who sees everything."""
    gone = sorted(CHOICES.keys() - set(shown))
    if gone:
        request.session[HIDDEN] = gone
    else:
        request.session.pop(HIDDEN, None)
