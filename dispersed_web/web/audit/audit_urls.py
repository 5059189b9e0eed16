"""Addresses of the audit log, and of one's own account's events."""

from django.urls import path

from dispersed_web.web.views import audit, security

urlpatterns = [
    path("t/<slug:slug>/team/events/", audit.events, name="team-events"),
    path("t/<slug:slug>/team/events/export/", audit.export, name="team-events-export"),
    path("me/security/", security.account_events, name="me-security"),
]
