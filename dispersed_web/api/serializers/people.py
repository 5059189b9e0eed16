"""Who belongs to the team, and who is invited to it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from dispersed_web.api.serializers.base import StrictSerializer, UsdField, UtcDateTimeField
from dispersed_web.api.serializers.jobs import PersonSerializer
from dispersed_web.teams.roles import Role

MOST_DECISIONS = 1000
HAND_OVER, STOP = "hand_over", "stop"
BY_MAIL, BY_LINK = "mail", "link"
ROLES = [role.value for role in Role]


class MemberSerializer(serializers.Serializer):
    """A person in the team. Programs with a token of the team are none."""

    id = serializers.IntegerField()
    name = serializers.CharField(help_text="The name, or the e-mail address of somebody who gave none.")
    email = serializers.EmailField()
    role = serializers.ChoiceField(ROLES)
    joined_at = UtcDateTimeField()
    is_me = serializers.BooleanField(help_text="Whether this token is theirs.")


class MemberListSerializer(serializers.Serializer):
    members = MemberSerializer(many=True)


class UndecidedJobSerializer(serializers.Serializer):
    """A running job of theirs, of which must be said what becomes of it before they go."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    status = serializers.CharField()
    hourly_rate_usd = UsdField(allow_null=True)


class OneMemberSerializer(MemberSerializer):
    running_jobs = UndecidedJobSerializer(
        many=True, help_text="What becomes of each must be said when they are removed."
    )
    heirs = PersonSerializer(many=True, help_text="Who may take them.")


class RoleChangeSerializer(StrictSerializer):
    role = serializers.ChoiceField(
        ROLES, help_text="Not `owner`: owners are made in the browser, by an owner who confirms it."
    )


class FateSerializer(StrictSerializer):
    decision = serializers.ChoiceField([HAND_OVER, STOP])
    to = serializers.EmailField(
        required=False, help_text="With `hand_over`: the address of the member who takes it."
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if (values["decision"] == HAND_OVER) != ("to" in values):
            raise serializers.ValidationError({"to": "It goes with hand_over, and hand_over needs it."})
        return values


class JobFateSerializer(FateSerializer):
    job_id = serializers.UUIDField(help_text="One of `running_jobs`.")


class RemoveSerializer(StrictSerializer):
    jobs = JobFateSerializer(many=True, required=False, default=list, max_length=MOST_DECISIONS)
    others = FateSerializer(
        required=False,
        allow_null=True,
        default=None,
        help_text="What becomes of running jobs that `jobs` does not name. Without it a job that is not named refuses "
        "the call.",
    )

    def validate_jobs(self, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({one["job_id"] for one in jobs}) < len(jobs):
            raise serializers.ValidationError("Name each job once.")
        return jobs


class RemovedSerializer(serializers.Serializer):
    """What was done."""

    member = MemberSerializer()
    handed_over = serializers.IntegerField(help_text="How many of their jobs others answer for now.")
    stopping = serializers.ListField(
        child=serializers.UUIDField(), help_text="Jobs whose end was asked for. Watch them until it has come."
    )
    may_know = serializers.ListField(
        child=serializers.CharField(),
        help_text="Keys, secrets and tokens of the team that they added and may have kept. Replace these.",
    )


class InvitationSerializer(serializers.Serializer):
    """An invitation that was neither accepted nor withdrawn."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    role = serializers.ChoiceField(ROLES)
    way = serializers.ChoiceField(
        [BY_MAIL, BY_LINK],
        help_text="Whether the link was mailed to the address, or handed to who asked for it.",
    )
    invited_by = PersonSerializer(allow_null=True)
    created_at = UtcDateTimeField()
    sent_at = UtcDateTimeField(
        allow_null=True, help_text="When the mail server took it; null until then and for a link."
    )
    expires_at = UtcDateTimeField()
    expired = serializers.BooleanField()


class InvitationListSerializer(serializers.Serializer):
    invitations = InvitationSerializer(many=True)


class InviteSerializer(StrictSerializer):
    email = serializers.EmailField(help_text="Only somebody who signs in with this address can accept.")
    role = serializers.ChoiceField(ROLES, default=Role.MEMBER.value, help_text="Not `owner`.")
    way = serializers.ChoiceField(
        [BY_MAIL, BY_LINK],
        default=BY_MAIL,
        help_text="`link`: nothing is mailed, and this answer alone has the link.",
    )


class InvitedSerializer(InvitationSerializer):
    link = serializers.URLField(
        allow_null=True,
        help_text="With `way` `link`: the address to pass on. It is a secret, stands in this answer alone, and is stored "
        "nowhere.",
    )
    mail_fault = serializers.CharField(
        allow_blank=True, help_text="Why the mail server did not take it; send it again then."
    )
