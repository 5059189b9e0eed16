"""Django application."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "dispersed_web.events"
