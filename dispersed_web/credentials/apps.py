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
