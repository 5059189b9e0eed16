"""Django application."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "dispersed_web.jobs"

    def ready(self) -> None:
        from dispersed_web.credentials import sealed
        from dispersed_web.jobs import runs, specs

        sealed.register(
            sealed.Column("secrets of jobs", "jobs.Job", "spec_secrets_sealed", specs.place_of, "team"),
            sealed.Column(
                "access tokens of machines",
                "jobs.JobRun",
                "access_tokens_sealed",
                lambda run: runs.token_place(run.job, run.remote_uuid),
                "job__team",
                ("job",),
            ),
        )
