"""Django application."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "dispersed_web.web"

    def ready(self) -> None:
        from dispersed_web.credentials import sealed

        # The last two listen to sign-ins.
        from dispersed_web.web.people import mfa_places, notices, session_age  # noqa: F401

        sealed.register(*mfa_places.columns())
