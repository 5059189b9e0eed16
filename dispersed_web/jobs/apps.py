"""Django application."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "dispersed_web.jobs"
