"""Fields and faults that all bodies share."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers


class UtcDateTimeField(serializers.DateTimeField):
    """A moment. Given out in UTC; taken with any offset, but not without one, because a guess could cost hours."""

    default_error_messages: ClassVar = {
        "no_offset": "Give the time with its offset, such as 2026-08-25T18:00:00Z."
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=dt.UTC, **options)

    def enforce_timezone(self, value: dt.datetime) -> dt.datetime:
        if value.tzinfo is None:
            self.fail("no_offset")
        return super().enforce_timezone(value)


class UsdField(serializers.DecimalField):
    """An amount in US dollars, as text, because binary numbers cannot hold cents."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=14, decimal_places=4, coerce_to_string=True, **options)


class StrictSerializer(serializers.Serializer):
    """A misspelt name is refused: a limit that is silently left out costs money."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        given = set(data) if hasattr(data, "keys") else set()
        if unknown := sorted(map(str, given - set(self.fields))):
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such field."))
        return super().to_internal_value(data)


class FaultSerializer(serializers.Serializer):
    code = serializers.CharField(help_text="For programs; it does not change.")
    message = serializers.CharField(help_text="For people.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(),
        help_text="A sentence for each input at fault, by its path, such as `env.0.name`.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Fault",
            value={
                "error": {
                    "code": "invalid",
                    "message": "Not valid: max_timeout_run_ms.",
                    "fields": {
                        "max_timeout_run_ms": "A BATCH job needs a run time limit of at least 1 minute."
                    },
                }
            },
        )
    ]
)
class ErrorSerializer(serializers.Serializer):
    error = FaultSerializer()
