"""Who the token is, and the credentials it may launch with."""

from __future__ import annotations

from rest_framework import serializers

from dispersed_web.api.serializers.base import UtcDateTimeField
from dispersed_web.api.serializers.jobs import PersonSerializer
from dispersed_web.credentials.models import CredentialState
from dispersed_web.teams.models import ApiToken
from dispersed_web.teams.roles import Role


class TeamSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()


class TokenSerializer(serializers.Serializer):
    name = serializers.CharField()
    kind = serializers.ChoiceField(
        ["personal", "service"], help_text="A person's own, or the team's, which acts as nobody in person."
    )
    scope = serializers.ChoiceField(ApiToken._meta.get_field("scope").choices)
    expires_at = UtcDateTimeField()


class MeSerializer(serializers.Serializer):
    person = PersonSerializer(allow_null=True, help_text="Null for a token of the team.")
    team = TeamSerializer()
    role = serializers.ChoiceField([role.value for role in Role])
    token = TokenSerializer()
    may = serializers.ListField(
        child=serializers.ChoiceField(["see", "launch", "stop", "extend", "manage_limits"]),
        help_text="What scope and role together allow.",
    )


class MayLaunchSerializer(serializers.Serializer):
    """Whether a job of the longest lifetime that the team allows could be launched now."""

    allowed = serializers.BooleanField()
    code = serializers.CharField(allow_blank=True)
    sentence = serializers.CharField(allow_blank=True, help_text="Why not, or why it would have to wait.")


class CredentialSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    public_key_hint = serializers.CharField()
    simulated = serializers.BooleanField()
    state = serializers.ChoiceField(CredentialState.values)
    failure = serializers.CharField(allow_blank=True, help_text="The last fault; empty when all is well.")
    listed_at = UtcDateTimeField(allow_null=True, help_text="As of when the jobs of this key are shown.")
    expires_at = UtcDateTimeField(allow_null=True)
    may_launch = MayLaunchSerializer()


class CredentialListSerializer(serializers.Serializer):
    credentials = CredentialSerializer(many=True)
