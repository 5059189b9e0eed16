"""Addresses of the team's people and secrets."""

from django.urls import path

from dispersed_web.api.views import invitations, members, secrets

_MEMBER = "v1/members/<int:membership_id>"
_INVITATION = "v1/invitations/<uuid:invitation_id>"
_STORED = "v1/secrets/<uuid:secret_id>"
urlpatterns = [
    path("v1/members", members.Members.as_view(), name="members"),
    path(_MEMBER, members.OneMember.as_view(), name="member"),
    path(f"{_MEMBER}/remove", members.Remove.as_view(), name="member-remove"),
    path("v1/invitations", invitations.Invitations.as_view(), name="invitations"),
    path(f"{_INVITATION}/send-again", invitations.SendAgain.as_view(), name="invitation-send-again"),
    path(f"{_INVITATION}/withdraw", invitations.Withdraw.as_view(), name="invitation-withdraw"),
    path("v1/secrets", secrets.Secrets.as_view(), name="secrets"),
    path(_STORED, secrets.OneSecret.as_view(), name="secret"),
    path(f"{_STORED}/delete", secrets.Delete.as_view(), name="secret-delete"),
]
