"""Django application."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "dispersed_web.web"

    def ready(self) -> None:
        from dispersed_web.credentials import sealed
        from dispersed_web.web.people import mfa_places

        sealed.register(*mfa_places.columns())
