"""The team's secrets, without their values."""

from __future__ import annotations

from rest_framework import serializers

from dispersed_web.api.serializers.base import UtcDateTimeField
from dispersed_web.credentials.models import UsableBy


class TeamSecretSerializer(serializers.Serializer):
    """What may be known of it. Its value is given out to nobody."""

    id = serializers.UUIDField(help_text="What a launch names: `team_secret_id`, `registry_secret_id`.")
    name = serializers.CharField(help_text="What recipes name.")
    note = serializers.CharField(allow_blank=True)
    usable_by = serializers.ChoiceField(UsableBy.values)
    may_use = serializers.BooleanField(help_text="Whether this token may launch with it.")
    hosts = serializers.ListField(
        child=serializers.CharField(),
        help_text="If not empty: it is the password of images of these registries and nothing else.",
    )
    fingerprint = serializers.CharField(help_text="Tells two values apart; nothing follows from it.")
    changed_at = UtcDateTimeField()
    last_used_at = UtcDateTimeField(allow_null=True)


class SecretListSerializer(serializers.Serializer):
    secrets = TeamSecretSerializer(many=True)
