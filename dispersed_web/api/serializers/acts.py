"""The bodies and queries of the smaller calls."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from dispersed_web.api.serializers.base import StrictSerializer, UtcDateTimeField
from dispersed_web.jobs import queries
from dispersed_web.jobs.states import Status

LONGEST_EXTENSION_S = 10 * 365 * 24 * 3600


class StopSerializer(StrictSerializer):
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Why; the team sees it."
    )


class SettleSerializer(StrictSerializer):
    looked = serializers.BooleanField(
        help_text="True: you looked in the console of Dispersed, and the job does not run."
    )

    def validate_looked(self, looked: bool) -> bool:
        if not looked:
            raise serializers.ValidationError("Look in the console of Dispersed first.")
        return looked


class SeenSerializer(StrictSerializer):
    limits_version = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text="`limits.version` of the job as you saw it. With it, a change that you did not see makes the call fail "
        "with `outdated` instead of meaning something else than you meant.",
    )


class ExtendSerializer(SeenSerializer):
    until = UtcDateTimeField(required=False, help_text="The new stop time, with its offset.")
    by_s = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LONGEST_EXTENSION_S,
        help_text="Seconds after the present stop time; instead of `until`.",
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if ("until" in values) == ("by_s" in values):
            raise serializers.ValidationError("Give either until or by_s.")
        return values


class ProtectSerializer(SeenSerializer):
    until = UtcDateTimeField(help_text="At most 72 hours from now, for admins 14 days.")
    reason = serializers.CharField(max_length=200, help_text="Why; everybody in the team sees it.")


class JobQuerySerializer(StrictSerializer):
    q = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=100,
        help_text="Text in the title, the tags, the notes or the owner's name or address, or the start of the cloud's uuid.",
    )
    status = serializers.ChoiceField([status.value for status in Status], required=False)
    task = serializers.ChoiceField(["BATCH", "PERSISTENT"], required=False)
    owner = serializers.ChoiceField(["me", "all"], default="all")
    tag = serializers.CharField(required=False, max_length=40, help_text="Only jobs with this tag.")
    starred = serializers.BooleanField(default=False, help_text="Only your favourites.")
    show = serializers.ChoiceField(
        list(queries.SHOWS), default="active", help_text="`attention`: active jobs that need a person."
    )
    sort = serializers.ChoiceField(
        list(queries.SORTS),
        default="newest",
        help_text="`newest`, `cost` and `runtime` go down, the others up.",
    )
    cursor = serializers.CharField(
        required=False,
        max_length=1000,
        help_text="`next_cursor` or `previous_cursor` of a page with the same sort.",
    )
    limit = serializers.IntegerField(default=queries.PAGE_SIZE, min_value=1, max_value=200)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if "cursor" in values:
            values["cursor"] = queries.Cursor.read(values["cursor"])
            if values["cursor"] is None or values["cursor"].sort != values["sort"]:
                raise serializers.ValidationError(
                    {"cursor": "This cursor does not belong to a list in this order."}
                )
        return values
