"""Django application."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "dispersed_web.notifications"

    def ready(self) -> None:
        from dispersed_web.credentials import sealed
        from dispersed_web.notifications import webhook

        sealed.register(
            sealed.Column("webhooks", "notifications.Channel", "url_sealed", webhook.place_of, "team"),
            sealed.Column(
                "webhook signing secrets",
                "notifications.Channel",
                "signing_sealed",
                webhook.signing_place_of,
                "team",
            ),
        )
