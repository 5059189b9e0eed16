"""Addresses of whoever runs the installation."""

from django.urls import path

from dispersed_web.web.views import site

TEAM = "site/teams/<uuid:team_id>/"

urlpatterns = [
    path("site/", site.site, name="site"),
    path(TEAM, site.team, name="site-team"),
    path(f"{TEAM}jobs/<uuid:job_id>/stop/", site.stop_job, name="site-stop"),
    path(f"{TEAM}members/<int:membership_id>/remove/", site.remove_member, name="site-remove"),
]
