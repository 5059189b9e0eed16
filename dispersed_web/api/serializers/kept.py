"""What people keep with a job: title, notes, tags, star, owner."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from dispersed_web.api.serializers.base import StrictSerializer
from dispersed_web.jobs import keeping


class JobRecipeSerializer(serializers.Serializer):
    """The version of a recipe that the job was launched from."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.IntegerField()


class JobChangeSerializer(StrictSerializer):
    """What is left out stays as it is."""

    title = serializers.CharField(
        required=False,
        max_length=keeping.LONGEST_TITLE,
        help_text="Here only: at the cloud a job keeps the title that it was sent with.",
    )
    notes = serializers.CharField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=keeping.LONGEST_NOTES,
        help_text="Markdown; the whole team reads it.",
    )
    notes_version = serializers.CharField(
        required=False,
        max_length=16,
        help_text="`notes_version` of the job as you saw it. With it, notes that somebody changed meanwhile are not "
        "overwritten: the call fails with `outdated`.",
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=keeping.LONGEST_TAG),
        required=False,
        max_length=keeping.MOST_TAGS,
        help_text="All of them: others are removed. Stored in lower case.",
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if not values.keys() & {"title", "notes", "tags"}:
            raise serializers.ValidationError("Give at least one of title, notes and tags.")
        return values


class HandOverSerializer(StrictSerializer):
    to = serializers.EmailField(help_text="The e-mail address of the member who takes the job.")


class StarSerializer(StrictSerializer):
    starred = serializers.BooleanField(default=True, help_text="False takes the star back.")
