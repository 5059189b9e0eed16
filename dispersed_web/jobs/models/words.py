"""Words that rows of jobs are told apart by: statuses as the queries name them, and how a job came to be known."""

from __future__ import annotations

from django.db import models

from dispersed_web.jobs import states
from dispersed_web.jobs.states import Status

# Always in one order: SQLite uses a partial index only for a condition that is written as the index has it.
ENDED = [status.value for status in Status if status in states.ENDED]
IN_CLOUD = [status.value for status in Status if status in states.IN_CLOUD]
LOCAL_ONLY = [status.value for status in Status if status in states.UNSENT | states.IN_DOUBT]


class Origin(models.TextChoices):
    """How a job came to be known here."""

    LAUNCHED = "launched", "launched here"
    ADOPTED = "adopted", "adopted"
    FOUND = "found", "found again"
    IMPORTED = "imported", "imported history"
