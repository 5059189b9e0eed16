"""Addresses of a team's credentials."""

from __future__ import annotations

from django.urls import path

from dispersed_web.web.views import credential_rules, credentials

ONE = "t/<slug:slug>/credentials/<uuid:credential_id>/"

urlpatterns = [
    path("t/<slug:slug>/credentials/", credentials.credentials, name="credentials"),
    path("t/<slug:slug>/credentials/add/", credentials.add, name="credential-add"),
    path(ONE, credentials.credential, name="credential"),
    path(f"{ONE}use/", credential_rules.use, name="credential-use"),
    path(f"{ONE}caps/", credential_rules.caps, name="credential-caps"),
    path(f"{ONE}replace/", credentials.replace, name="credential-replace"),
    path(f"{ONE}disable/", credentials.disable, name="credential-disable"),
    path(f"{ONE}enable/", credentials.enable, name="credential-enable"),
    path(f"{ONE}delete/", credentials.delete, name="credential-delete"),
]
