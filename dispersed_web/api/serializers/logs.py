"""The output of a job's container."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from dispersed_web.api.serializers.base import StrictSerializer, UtcDateTimeField

MOST_LINES = 5000


class LogQuerySerializer(StrictSerializer):
    run = serializers.UUIDField(
        required=False, help_text="Of the job's `runs`; without it the newest live one, else the newest."
    )
    limit = serializers.IntegerField(default=1000, min_value=1, max_value=MOST_LINES)
    search = serializers.CharField(
        required=False,
        max_length=200,
        trim_whitespace=False,
        help_text="Only lines that contain this text, in any case of its letters.",
    )

    def get_fields(self) -> dict[str, Any]:
        """``from`` is no name that Python allows for an attribute."""
        begin = serializers.IntegerField(
            required=False,
            min_value=1,
            max_value=10**9,
            help_text="The number of the first line wanted. Without it, and without `search`, the last lines.",
        )
        return {**super().get_fields(), "from": begin}


class LogLineSerializer(serializers.Serializer):
    number = serializers.IntegerField(help_text="Counted from 1, as it was written.")
    text = serializers.CharField(
        allow_blank=True,
        trim_whitespace=False,
        help_text="Without colours; of a progress bar its last state.",
    )


class LogSerializer(serializers.Serializer):
    run_id = serializers.UUIDField(allow_null=True, help_text="Null: no node has started the container yet.")
    lines = LogLineSerializer(many=True)
    first = serializers.IntegerField(help_text="The number of the first line that is still kept.")
    total = serializers.IntegerField(help_text="The number of the last line.")
    is_cut = serializers.BooleanField(help_text="Earlier lines are not kept.")
    live = serializers.BooleanField(help_text="More may be written.")
    next = serializers.IntegerField(
        allow_null=True,
        help_text="`from` of the following call. Null: there is no more, and there will not be. While `live`, the last line "
        "may still change.",
    )
    seen_at = UtcDateTimeField(allow_null=True, help_text="When the cloud showed it.")
    trouble = serializers.CharField(
        allow_blank=True, help_text="Why the log is not newer than `seen_at`, or cannot be had at all."
    )
