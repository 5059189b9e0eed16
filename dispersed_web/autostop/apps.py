"""Django application."""

from django.apps import AppConfig


class AutostopConfig(AppConfig):
    name = "dispersed_web.autostop"
