"""Addresses of the recipes' pages."""

from django.urls import path

from dispersed_web.web.views import (
    cloud_recipes,
    recipe_acts,
    recipe_edit,
    recipe_files,
    recipe_versions,
    recipes,
)

urlpatterns = [
    path("t/<slug:slug>/recipes/", recipes.recipes, name="recipes"),
    path("t/<slug:slug>/recipes/new/", recipe_edit.recipe_new, name="recipe-new"),
    path("t/<slug:slug>/recipes/preview/", recipe_edit.recipe_preview, name="recipe-preview"),
    path("t/<slug:slug>/recipes/import/", recipe_files.recipe_import, name="recipe-import"),
    path("t/<slug:slug>/recipes/export/", recipe_files.recipes_export, name="recipes-export"),
    path("t/<slug:slug>/recipes/starters/", recipe_files.recipes_starters, name="recipes-starters"),
    path("t/<slug:slug>/recipes/cloud/", cloud_recipes.recipes, name="cloud-recipes"),
    path("t/<slug:slug>/recipes/cloud/refresh/", cloud_recipes.recipes_refresh, name="cloud-recipes-refresh"),
    path("t/<slug:slug>/recipes/cloud/<str:recipe_uuid>/", cloud_recipes.recipe, name="cloud-recipe"),
    path(
        "t/<slug:slug>/recipes/cloud/<str:recipe_uuid>/import/",
        cloud_recipes.recipe_take_over,
        name="cloud-recipe-import",
    ),
    path("t/<slug:slug>/recipes/<uuid:recipe_id>/", recipes.recipe, name="recipe"),
    path("t/<slug:slug>/recipes/<uuid:recipe_id>/edit/", recipe_edit.recipe_edit, name="recipe-edit"),
    path(
        "t/<slug:slug>/recipes/<uuid:recipe_id>/versions/", recipe_versions.versions, name="recipe-versions"
    ),
    path(
        "t/<slug:slug>/recipes/<uuid:recipe_id>/roll-back/",
        recipe_versions.roll_back,
        name="recipe-roll-back",
    ),
    path("t/<slug:slug>/recipes/<uuid:recipe_id>/export/", recipe_files.recipe_export, name="recipe-export"),
    path("t/<slug:slug>/recipes/<uuid:recipe_id>/pin/", recipe_acts.recipe_pin, name="recipe-pin"),
    path("t/<slug:slug>/recipes/<uuid:recipe_id>/copy/", recipe_acts.recipe_copy, name="recipe-copy"),
    path(
        "t/<slug:slug>/recipes/<uuid:recipe_id>/hand-over/",
        recipe_acts.recipe_hand_over,
        name="recipe-hand-over",
    ),
    path("t/<slug:slug>/recipes/<uuid:recipe_id>/share/", recipe_acts.recipe_share, name="recipe-share"),
    path(
        "t/<slug:slug>/recipes/<uuid:recipe_id>/archive/", recipe_acts.recipe_archive, name="recipe-archive"
    ),
    path("t/<slug:slug>/jobs/<uuid:job_id>/recipe/", recipe_edit.recipe_from_job, name="recipe-from-job"),
]
