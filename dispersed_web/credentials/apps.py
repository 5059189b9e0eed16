"""Django application."""

from django.apps import AppConfig


class CredentialsConfig(AppConfig):
    name = "dispersed_web.credentials"

    def ready(self) -> None:
        from dispersed_web.credentials import clients, sealed, team_secrets

        sealed.register(
            sealed.Column(
                "credentials", "credentials.Credential", "secret_sealed", clients.secret_place, "team"
            ),
            sealed.Column(
                "team secrets", "credentials.TeamSecret", "value_sealed", team_secrets.place_of, "team"
            ),
        )
        know_own_secrets()


def know_own_secrets() -> None:
    """Keeps what the settings hold out of the logs: a mail server may quote the password that it refuses."""
    from django.conf import settings

    from dispersed_web.credentials.known_values import known

    providers = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    for text in (settings.EMAIL_HOST_PASSWORD, settings.SECRET_KEY, *(one["secret"] for one in providers)):
        known.learn(text)
