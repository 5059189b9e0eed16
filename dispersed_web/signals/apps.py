"""Django application."""

from django.apps import AppConfig


class SignalsConfig(AppConfig):
    name = "dispersed_web.signals"
