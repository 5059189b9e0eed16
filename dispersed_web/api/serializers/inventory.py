"""Jobs that were not launched here, and what is asked about them."""

from __future__ import annotations

from rest_framework import serializers

from dispersed_web.api.serializers.base import StrictSerializer, UsdField, UtcDateTimeField
from dispersed_web.jobs.models import UnmanagedJob

MAYBE = {"allow_null": True}


class UnmanagedSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    remote_uuid = serializers.CharField(help_text="The cloud's own id.")
    title = serializers.CharField(allow_blank=True, help_text="Not that of another team's job.")
    source = serializers.ChoiceField(
        UnmanagedJob.Source.values,
        help_text="`elsewhere`: in the console or by another program. `installation`: by another Dispersed Web. `team`: "
        "by another team of this one; nobody here acts on it. `duplicate`: it carries the mark of a job that is here. "
        "`unclear`: launched here, but no record says by which team; nobody acts on it.",
    )
    credential_id = serializers.UUIDField()
    task = serializers.CharField(allow_blank=True)
    status = serializers.CharField(
        help_text="The cloud's own word; `LOST` when it does not show it any more."
    )
    gpu = serializers.CharField(allow_blank=True)
    hourly_rate_usd = UsdField(**MAYBE)
    estimate_usd = UsdField(**MAYBE, help_text="As if it had cost its present price since it was made.")
    created_at = UtcDateTimeField(**MAYBE)
    first_seen_at = UtcDateTimeField()
    seen_at = UtcDateTimeField(help_text="When something about it was seen to change last.")
    missing_since = UtcDateTimeField(**MAYBE, help_text="Since then the cloud does not show it.")
    ignored_at = UtcDateTimeField(**MAYBE)
    watched = serializers.BooleanField(help_text="Whether you hear of it.")
    confirm = serializers.CharField(
        allow_blank=True,
        help_text="What to send as `confirm` to adopt or stop it; empty where nothing is asked.",
    )


class LostJobSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    title = serializers.CharField()
    state = serializers.ChoiceField(
        ["missing", "unconfirmed", "found"],
        help_text="`missing`: the cloud stopped showing it, and no end was seen. `unconfirmed`: nobody knows whether its "
        "launch arrived. `found`: it turned up late, or without a record.",
    )
    remote_uuid = serializers.CharField(**MAYBE)
    since = UtcDateTimeField(**MAYBE)
    at_last_sight_usd = UsdField(**MAYBE, help_text="What it had cost when it was seen last.")
    up_to_usd = UsdField(**MAYBE, help_text="What it has cost if it still runs.")


class InventorySerializer(serializers.Serializer):
    unmanaged = UnmanagedSerializer(
        many=True, help_text="What costs most first; ignored ones too, and those that were lost sight of."
    )
    lost = LostJobSerializer(many=True, help_text="Jobs of the team that are not in plain sight.")


class ConfirmSerializer(StrictSerializer):
    confirm = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=20,
        help_text="For a job of another installation: its `confirm`.",
    )


class AdoptSerializer(ConfirmSerializer):
    owner = serializers.EmailField(
        required=False, help_text="Who answers for it, a member of the team; without it you do."
    )
    lifetime_s = serializers.IntegerField(
        required=False,
        min_value=60,
        max_value=2**31 - 1,
        help_text="It is stopped so long from now; without it the team's default.",
    )


class StopUnmanagedSerializer(ConfirmSerializer):
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Why; the team sees it."
    )


class NothingSerializer(StrictSerializer):
    """An empty object."""
