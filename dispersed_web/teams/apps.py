"""Django application."""

from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "dispersed_web.teams"
