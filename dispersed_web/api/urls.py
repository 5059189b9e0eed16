"""Addresses of the REST API."""

from django.urls import path, re_path
from django.views.generic import RedirectView

from dispersed_web.api import inventory_urls, team_urls
from dispersed_web.api.views import (
    account,
    acts,
    autostop,
    base,
    docs,
    events,
    jobs,
    kept,
    logs,
    market,
    presets,
    recipes,
)

app_name = "api"
urlpatterns = [
    path("v1/jobs", jobs.Jobs.as_view(), name="jobs"),
    path("v1/jobs/<uuid:job_id>", jobs.OneJob.as_view(), name="job"),
    path("v1/jobs/<uuid:job_id>/logs", logs.Logs.as_view(), name="job-logs"),
    path("v1/jobs/<uuid:job_id>/stop", acts.Stop.as_view(), name="job-stop"),
    path("v1/jobs/<uuid:job_id>/extend", acts.Extend.as_view(), name="job-extend"),
    path("v1/jobs/<uuid:job_id>/settle", acts.Settle.as_view(), name="job-settle"),
    path("v1/jobs/<uuid:job_id>/in-use", acts.InUse.as_view(), name="job-in-use"),
    path("v1/jobs/<uuid:job_id>/protect", acts.Protect.as_view(), name="job-protect"),
    path("v1/jobs/<uuid:job_id>/unprotect", acts.Unprotect.as_view(), name="job-unprotect"),
    path("v1/jobs/<uuid:job_id>/accept-rate", acts.AcceptRate.as_view(), name="job-accept-rate"),
    path("v1/jobs/<uuid:job_id>/hand-over", kept.HandOver.as_view(), name="job-hand-over"),
    path("v1/jobs/<uuid:job_id>/star", kept.Star.as_view(), name="job-star"),
    path("v1/autostop", autostop.Policy.as_view(), name="autostop"),
    path("v1/autostop/replay", autostop.Replay.as_view(), name="autostop-replay"),
    path("v1/credentials", account.Credentials.as_view(), name="credentials"),
    path("v1/recipes", recipes.Recipes.as_view(), name="recipes"),
    path("v1/recipes/<uuid:recipe_id>", recipes.OneRecipe.as_view(), name="recipe"),
    path("v1/recipes/<uuid:recipe_id>/versions", recipes.Versions.as_view(), name="recipe-versions"),
    path(
        "v1/recipes/<uuid:recipe_id>/versions/<int:number>",
        recipes.OneVersion.as_view(),
        name="recipe-version",
    ),
    path("v1/recipes/<uuid:recipe_id>/roll-back", recipes.RollBack.as_view(), name="recipe-roll-back"),
    path("v1/recipes/<uuid:recipe_id>/copy", recipes.Copy.as_view(), name="recipe-copy"),
    path("v1/recipes/<uuid:recipe_id>/share", recipes.Share.as_view(), name="recipe-share"),
    path(
        "v1/recipes/<uuid:recipe_id>/make-private", recipes.MakePrivate.as_view(), name="recipe-make-private"
    ),
    path("v1/recipes/<uuid:recipe_id>/archive", recipes.Archive.as_view(), name="recipe-archive"),
    path("v1/recipes/<uuid:recipe_id>/unarchive", recipes.Unarchive.as_view(), name="recipe-unarchive"),
    path("v1/presets", presets.Presets.as_view(), name="presets"),
    path("v1/presets/<uuid:preset_id>", presets.OnePreset.as_view(), name="preset"),
    path("v1/presets/<uuid:preset_id>/delete", presets.Delete.as_view(), name="preset-delete"),
    path("v1/recipes/<uuid:recipe_id>/launch", recipes.Launch.as_view(), name="recipe-launch"),
    *inventory_urls.urlpatterns,
    *team_urls.urlpatterns,
    path("v1/gpus", market.Gpus.as_view(), name="gpus"),
    path("v1/offers", market.Offers.as_view(), name="offers"),
    path("v1/events", events.Events.as_view(), name="events"),
    path("v1/me", account.Me.as_view(), name="me"),
    path("schema/", docs.Schema.as_view(), name="schema"),
    path("docs/", docs.docs, name="docs"),
    path("docs", RedirectView.as_view(pattern_name="api:docs")),
    re_path(r"", base.UnknownAddress.as_view()),
]
