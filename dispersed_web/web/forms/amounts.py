"""Form fields for numbers and amounts of money, which say in one sentence what they take.

What is outside is at fault in the field itself, so that nothing beside it, such as a price, is reckoned with it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

MOST_DIGITS = 10
_BELOW_MOST = Decimal(10) ** MOST_DIGITS


class CountField(forms.IntegerField):
    """A whole number from ``least`` to ``most``; ``most`` is ``None`` where something else bounds it."""

    def __init__(self, least: int = 0, most: int | None = None, **options: Any) -> None:
        self.least, self.most = least, most
        sentence = f"It must be at least {least}." if most is None else f"Between {least:,} and {most:,}."
        attrs = {"min": str(least), "inputmode": "numeric", "autocomplete": "off"}
        attrs |= {} if most is None else {"max": str(most)}
        options.setdefault("widget", forms.NumberInput(attrs=attrs))
        super().__init__(**options)
        self.error_messages["outside"] = sentence

    def validate(self, value: int | None) -> None:
        super().validate(value)
        if value is None:
            return
        if value < self.least or (self.most is not None and value > self.most):
            raise ValidationError(self.error_messages["outside"], code="outside")


class UsdField(forms.DecimalField):
    """An amount in dollars, with up to ``places`` digits behind the point; ``zero`` says whether nothing is one too."""

    def __init__(self, places: int = 2, *, zero: bool = False, **options: Any) -> None:
        self.places, self.zero = places, zero
        empty = "" if options.get("required", True) else ", or empty for none"
        sentence = f"An amount {'of 0 or more' if zero else 'above 0'}{empty}."
        attrs = {"inputmode": "decimal", "autocomplete": "off", "step": "0.01", "min": "0"}
        options.setdefault("widget", forms.NumberInput(attrs=attrs))
        super().__init__(**options)
        self.error_messages |= {
            "invalid": "Write an amount in dollars, such as 12.50.",
            "outside": sentence,
            "large": f"Less than {_BELOW_MOST.scaleb(-places):,.0f}.",
            "fine": f"At most {places} digits behind the point.",
        }

    def validate(self, value: Decimal | None) -> None:
        super().validate(value)
        if value is None:
            return
        if value < 0 or (value == 0 and not self.zero):
            raise ValidationError(self.error_messages["outside"], code="outside")
        if value >= _BELOW_MOST.scaleb(-self.places):
            raise ValidationError(self.error_messages["large"], code="large")
        if -int(value.normalize().as_tuple().exponent) > self.places:
            raise ValidationError(self.error_messages["fine"], code="fine")
