"""What can be rented, and at what price."""

from __future__ import annotations

from rest_framework import serializers

from dispersed_web.api.serializers.base import StrictSerializer, UsdField, UtcDateTimeField


class MarketQuerySerializer(StrictSerializer):
    credential_id = serializers.UUIDField(
        help_text="Prices are asked with this credential, from `GET /api/v1/credentials`."
    )
    gpu_count = serializers.IntegerField(
        required=False, default=1, min_value=1, max_value=64, help_text="GPUs of one node."
    )
    min_vram_gb = serializers.IntegerField(
        required=False, default=0, min_value=0, max_value=100_000, help_text="Memory of each GPU, at least."
    )


class GpuSerializer(serializers.Serializer):
    gpu_registry_uuid = serializers.CharField()
    name = serializers.CharField()
    vram_gb = serializers.IntegerField(allow_null=True)
    offered = serializers.BooleanField(
        help_text="Whether a node with so many of them was offered. You may ask for others too; the job then waits."
    )
    hourly_usd_from = UsdField(allow_null=True, help_text="Of the cheapest node that was offered.")
    hourly_usd_to = UsdField(
        allow_null=True, help_text="Of the dearest one. Which it will be, the cloud decides."
    )
    regions = serializers.ListField(child=serializers.CharField())


class OfferSerializer(serializers.Serializer):
    gpu = serializers.CharField()
    gpu_registry_uuid = serializers.CharField(allow_blank=True)
    gpu_count = serializers.IntegerField(allow_null=True)
    region_code = serializers.CharField(allow_blank=True)
    hourly_usd = UsdField(allow_null=True, help_text="Of the whole node.")


class MarketSerializer(serializers.Serializer):
    """Age and faults of what was asked last; a fault keeps the prices of before."""

    fetched_at = UtcDateTimeField(allow_null=True, help_text="Null: never yet. Ask again in a few seconds.")
    failure = serializers.CharField(allow_blank=True)


class GpuListSerializer(MarketSerializer):
    gpus = GpuSerializer(many=True)


class OfferListSerializer(MarketSerializer):
    offers = OfferSerializer(many=True)
