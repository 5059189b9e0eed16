"""Django application."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class EventsConfig(AppConfig):
    name = "dispersed_web.events"

    def ready(self) -> None:
        post_migrate.connect(keep_append_only, sender=self)


def keep_append_only(using: str, apps: Any = None, plan: Any = None, **_: Any) -> None:
    """After migrations, because on SQLite one that remakes the table takes its triggers away. (What empties a database
    has no plan.)"""
    from dispersed_web.events import append_only

    if plan is None or any(backwards for _, backwards in plan):
        return
    columns = [field.column for field in apps.get_model("events", "Event")._meta.concrete_fields]
    if set(append_only.LATER) <= set(columns):
        append_only.install(connections[using], columns)
