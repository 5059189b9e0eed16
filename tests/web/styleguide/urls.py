"""The addresses that the layout links to, answered by sample pages that show every part of the design system."""

from __future__ import annotations

from django.urls import include, path

from . import views

pages = [
    path("", views.jobs, name="home"),
    path("me/", views.form, name="me"),
    path("inbox/", views.form, name="inbox"),
    path("t/<slug:slug>/", views.home, name="team-home"),
    path("t/<slug:slug>/jobs/", views.jobs, name="jobs"),
    path("t/<slug:slug>/job/", views.job, name="job"),
    path("t/<slug:slug>/launch/", views.form, name="launch"),
    path("t/<slug:slug>/recipes/", views.form, name="recipes"),
    path("t/<slug:slug>/autostop/", views.form, name="autostop"),
    path("t/<slug:slug>/team/", views.parts, name="team"),
    path("poll/", views.poll, name="poll"),
    path("dialog/", views.dialog, name="dialog"),
    path("alone/", views.alone, name="alone"),
    path("error/<int:code>/", views.error, name="error"),
]

urlpatterns = [
    path("", include((pages, "web"))),
    path("accounts/", include("allauth.account.urls")),
]
