"""Django application."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "dispersed_web.web"
