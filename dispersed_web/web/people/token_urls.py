"""Addresses of a team's API tokens."""

from django.urls import path

from dispersed_web.web.views import tokens

urlpatterns = [
    path("t/<slug:slug>/team/tokens/", tokens.team_tokens, name="team-tokens"),
    path(
        "t/<slug:slug>/team/tokens/<uuid:token_id>/revoke/",
        tokens.team_token_revoke,
        name="team-token-revoke",
    ),
]
