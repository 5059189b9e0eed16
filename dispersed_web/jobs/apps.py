"""Django application."""

import logging
from typing import Any

from django.apps import AppConfig
from django.apps import apps as all_apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models.signals import post_migrate

log = logging.getLogger(__name__)


class JobsConfig(AppConfig):
    name = "dispersed_web.jobs"

    def ready(self) -> None:
        post_migrate.connect(give_it_a_holder, sender=self)
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


def give_it_a_holder(apps: Any = all_apps, **_: Any) -> None:
    """A database that was just made, or emptied, is this installation's. Only here: whatever else touches it makes it
    nobody's."""
    from dispersed_web.jobs import starting
    from dispersed_web.teams import installation

    try:
        apps.get_model("jobs", "Job")
        apps.get_model("credentials", "Credential")
        apps.get_model("teams", "Installation")._meta.get_field("holder")
    except (LookupError, FieldDoesNotExist):
        return  # only a part of the migrations was applied
    if not starting.claim_if_new():
        log.error(installation.what_to_do())
