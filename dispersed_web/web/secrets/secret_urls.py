"""Addresses of a team's secrets."""

from django.urls import path

from dispersed_web.web.views import secrets

urlpatterns = [
    path("t/<slug:slug>/secrets/", secrets.secrets, name="secrets"),
    path("t/<slug:slug>/secrets/add/", secrets.add, name="secret-add"),
    path("t/<slug:slug>/secrets/<uuid:secret_id>/", secrets.secret, name="secret"),
    path("t/<slug:slug>/secrets/<uuid:secret_id>/remove/", secrets.remove, name="secret-remove"),
]
