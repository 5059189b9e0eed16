"""Django application."""

from django.apps import AppConfig


class CredentialsConfig(AppConfig):
    name = "dispersed_web.credentials"
