"""The team's secrets. A value is taken, and never given out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from dispersed_web.api.serializers.base import StrictSerializer, UtcDateTimeField
from dispersed_web.api.serializers.jobs import PersonSerializer
from dispersed_web.credentials.models import UsableBy
from dispersed_web.credentials.secret_names import LONGEST_NAME
from dispersed_web.credentials.secret_rules import LONGEST_NOTE, LONGEST_VALUE, MOST_HOSTS, SHORTEST_VALUE

MOST_CHOSEN = 500
VALUE = f"{SHORTEST_VALUE} characters to {LONGEST_VALUE // 1024} KiB of ASCII. It is never given out again."


class TeamSecretSerializer(serializers.Serializer):
    """What may be known of it. Its value is given out to nobody."""

    id = serializers.UUIDField(help_text="What a launch names: `team_secret_id`, `registry_secret_id`.")
    name = serializers.CharField(help_text="What recipes name.")
    note = serializers.CharField(allow_blank=True)
    usable_by = serializers.ChoiceField(UsableBy.choices)
    chosen = PersonSerializer(many=True, help_text="Who may, where it is for chosen members.")
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


def _note(**more: Any) -> serializers.CharField:
    return serializers.CharField(
        allow_blank=True, max_length=LONGEST_NOTE, help_text="The whole team reads it.", **more
    )


def _chosen(**more: Any) -> serializers.ListField:
    words = "With `usable_by` `chosen`: addresses of members."
    return serializers.ListField(
        child=serializers.EmailField(), max_length=MOST_CHOSEN, help_text=words, **more
    )


def _hosts(**more: Any) -> serializers.ListField:
    words = "Registries, such as `ghcr.io`: it is then given to them as the password of an image and to nothing else."
    return serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=MOST_HOSTS, help_text=words, **more
    )


class SecretChangeSerializer(StrictSerializer):
    """What is left out stays as it is. A name cannot be changed: recipes name it."""

    value = serializers.CharField(
        required=False,
        trim_whitespace=False,
        max_length=2 * LONGEST_VALUE,
        help_text=f"{VALUE} Running jobs keep the one they got. Needed to let it go to other registries than now.",
    )
    note = _note(required=False)
    usable_by = serializers.ChoiceField(UsableBy.choices, required=False)
    chosen = _chosen(required=False)
    hosts = _hosts(required=False)


class SecretAddSerializer(StrictSerializer):
    """A secret under a new name."""

    name = serializers.CharField(
        max_length=LONGEST_NAME, help_text="Letters, digits, - and _; once in the team whatever the case."
    )
    value = serializers.CharField(trim_whitespace=False, max_length=2 * LONGEST_VALUE, help_text=VALUE)
    note = _note(default="")
    usable_by = serializers.ChoiceField(UsableBy.choices, default=UsableBy.MEMBERS.value)
    chosen = _chosen(default=list)
    hosts = _hosts(default=list)
