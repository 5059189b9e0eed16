"""Beat: ``python -m dispersed_web.beat``. Its Celery application has the schedule and neither the tasks nor Django, of which
beat needs nothing, and it does without Celery's command line, which would be a fifth of its memory."""

from __future__ import annotations

import logging.config
from typing import Any

from celery import Celery
from celery.signals import setup_logging

from dispersed_web import settings

app = Celery("dispersed_web", fixups=[])
app.config_from_object(settings, namespace="CELERY")


@setup_logging.connect
def log(**_: Any) -> None:
    """Instead of Celery's own set-up of logs, which knows nothing of secrets."""
    logging.config.dictConfig(settings.LOGGING)


if __name__ == "__main__":
    app.Beat(quiet=True).run()
