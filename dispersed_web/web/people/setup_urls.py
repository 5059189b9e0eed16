"""Addresses of the first start, and of the first steps after it."""

from django.urls import path

from dispersed_web.web.views import first_steps, setup

urlpatterns = [
    path("setup/", setup.owner, name="setup"),
    path("setup/team/", setup.team, name="setup-team"),
    path("t/<slug:slug>/setup/credential/", setup.credential, name="setup-credential"),
    path("t/<slug:slug>/setup/notices/", setup.notices, name="setup-notices"),
    path("t/<slug:slug>/setup/notices/mail/", setup.test_mail, name="setup-mail"),
    path("t/<slug:slug>/setup/launch/", setup.launch, name="setup-launch"),
    path("me/first-steps/", first_steps.hide, name="first-steps-hide"),
]
