"""Django application."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "dispersed_web.notifications"
