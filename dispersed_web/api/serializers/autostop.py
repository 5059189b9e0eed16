"""The team's auto-stop policy, a draft of it, and what a draft would have done."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rest_framework import serializers

from dispersed_web.api.serializers.base import StrictSerializer, UsdField, UtcDateTimeField
from dispersed_web.api.serializers.jobs import RULES
from dispersed_web.autostop import keeping, schedule
from dispersed_web.teams.models import AutostopPolicy

MAYBE = {"required": False, "allow_null": True}
MOST_S = 2**31 - 1


def _seconds(help_text: str) -> serializers.IntegerField:
    return serializers.IntegerField(required=False, min_value=0, max_value=MOST_S, help_text=help_text)


def _budget(whose: str) -> serializers.DecimalField:
    return serializers.DecimalField(
        **MAYBE,
        max_digits=10,
        decimal_places=2,
        coerce_to_string=True,
        help_text=f"USD, {whose}; null for none.",
    )


class StopTimeSerializer(StrictSerializer):
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), help_text="Monday is 0."
    )
    at = serializers.CharField(
        max_length=5, help_text="Hour and minute in the schedule's zone, such as `18:00`."
    )


class ScheduleSerializer(StrictSerializer):
    zone = serializers.CharField(max_length=64, help_text="Such as `Europe/Berlin`.")
    stops = StopTimeSerializer(many=True)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        try:
            return schedule.to_json(schedule.from_json(values))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


class PolicyValuesSerializer(StrictSerializer):
    """All durations in seconds. What is left out stays as it is."""

    mode = serializers.ChoiceField(
        AutostopPolicy.Mode.values,
        required=False,
        help_text="`observe`: stops for idleness are only noted. Hard limits and check-ins hold in both.",
    )
    observe_until = UtcDateTimeField(**MAYBE, help_text="When observing turns into enforcing; null: never.")
    high_idle_s = _seconds("Idle limit where a heartbeat tells.")
    high_idle_max_s = _seconds("The longest that a job may choose.")
    high_lead_s = _seconds("Warned so long before.")
    medium_idle_s = _seconds("Idle limit where meaningful logs tell.")
    medium_idle_max_s = _seconds("The longest that a job may choose.")
    medium_lead_s = _seconds("Warned so long before.")
    boot_grace_s = _seconds("So long after a run began nothing counts as idle.")
    checkin_first_s = _seconds("Where nothing tells: people are asked so long after a run began,")
    checkin_every_s = _seconds("and so long after each answer.")
    checkin_every_max_s = _seconds("The longest that a job may choose.")
    checkin_answer_s = _seconds("Without an answer within this time it stops.")
    schedule = ScheduleSerializer(**MAYBE, help_text="Weekly stop times; null for none.")
    team_day_usd = _budget("of the team for a day")
    team_month_usd = _budget("of the team for a month")
    member_day_usd = _budget("of each member for a day")
    member_month_usd = _budget("of each member for a month")
    budget_stops = serializers.BooleanField(
        required=False, help_text="Whether a budget that is used up stops running jobs."
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("mode") == AutostopPolicy.Mode.ENFORCE:
            # Said once is enough: what is enforced has no end of observing.
            values.setdefault("observe_until", None)
        return values


class PolicySerializer(PolicyValuesSerializer):
    version = serializers.IntegerField(help_text="Moves with every change; name it when you change it.")
    changed_at = UtcDateTimeField(**MAYBE)


class PolicyChangeSerializer(PolicyValuesSerializer):
    version = serializers.IntegerField(
        min_value=1,
        max_value=MOST_S,
        help_text="`version` as you saw it: nothing is lost of another's change.",
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if not set(values) & set(keeping.FIELDS):
            raise serializers.ValidationError("Say what to change.")
        return super().validate(values)


class TotalsSerializer(serializers.Serializer):
    runs = serializers.IntegerField()
    stops = serializers.IntegerField(help_text="Runs that it would have stopped.")
    false_stops = serializers.IntegerField(help_text="Of these, used again later.")
    saved_usd = UsdField(help_text="An estimate: from the stops to the real ends, without the false ones.")


class LimitTotalsSerializer(TotalsSerializer):
    idle_limit_s = serializers.IntegerField()


class WouldStopSerializer(serializers.Serializer):
    job_id = serializers.UUIDField()
    title = serializers.CharField()
    owner = serializers.CharField()
    stop_at = UtcDateTimeField()
    rule = serializers.ChoiceField(list(RULES))
    saved_usd = UsdField(allow_null=True)
    used_again_at = UtcDateTimeField(allow_null=True, help_text="A false stop: it was used again then.")
    used_again = serializers.CharField(allow_blank=True, help_text="By what, in words.")


class ReplaySerializer(serializers.Serializer):
    days = serializers.IntegerField()
    totals = TotalsSerializer()
    stops = WouldStopSerializer(many=True)
    by_limit = LimitTotalsSerializer(many=True, help_text="What other idle limits would have done.")
    watched = serializers.IntegerField(help_text="Runs with a signal.")
    left_out = serializers.IntegerField(help_text="Older runs beyond the bound of what is replayed.")


def seconds(duration: dt.timedelta) -> int:
    return int(duration.total_seconds())
