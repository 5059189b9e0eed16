"""Addresses about who belongs to a team, of its settings, and of whoever runs the installation."""

from django.urls import path

from dispersed_web.web.people import site_urls
from dispersed_web.web.views import join, team_people, team_settings

MEMBER = "t/<slug:slug>/team/members/<int:membership_id>/"
INVITATION = "t/<slug:slug>/team/invitations/<uuid:invitation_id>/"

urlpatterns = [
    path(MEMBER, team_people.member, name="team-member"),
    path(f"{MEMBER}remove/", team_people.remove, name="team-member-remove"),
    path("t/<slug:slug>/team/invite/", team_people.invite, name="team-invite"),
    path(INVITATION, team_people.invitation, name="team-invitation"),
    path(f"{INVITATION}again/", team_people.invitation_again, name="team-invitation-again"),
    path(f"{INVITATION}withdraw/", team_people.invitation_withdraw, name="team-invitation-withdraw"),
    path("t/<slug:slug>/team/settings/", team_settings.settings, name="team-settings"),
    path("t/<slug:slug>/team/settings/name/", team_settings.rename, name="team-rename"),
    path("t/<slug:slug>/team/settings/second-factor/", team_settings.need_factor, name="team-factor-rule"),
    path(
        "t/<slug:slug>/team/settings/second-factor/announce/",
        team_settings.announce_factor,
        name="team-factor-announce",
    ),
    path("t/<slug:slug>/team/settings/first/", team_settings.open_first, name="team-open-first"),
    path("t/<slug:slug>/team/leave/", team_settings.leave, name="team-leave"),
    path("t/<slug:slug>/team/delete/", team_settings.delete, name="team-delete"),
    path("join/", join.join, name="join"),
    path("join/accept/", join.accept, name="join-accept"),
    path("join/decline/", join.decline, name="join-decline"),
    path("join/<str:token>/", join.link, name="join-link"),
    *site_urls.urlpatterns,
]
