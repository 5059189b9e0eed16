"""Fields for numbers and money say in one plain sentence what they take."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from dispersed_web.web.forms.amounts import CountField, UsdField
from dispersed_web.web.forms.credential_rules import CapsForm
from dispersed_web.web.forms.launch_fields import LaunchFields
from dispersed_web.web.forms.policy import PolicyForm
from dispersed_web.web.forms.team import LimitsForm

CAP, BUDGET = UsdField(zero=True, required=False), UsdField(4, required=False)


def fault(field, text):
    with pytest.raises(ValidationError) as caught:
        field.clean(text)
    return caught.value.messages


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        (CountField(1, 20), "0", "Between 1 and 20."),
        (CountField(0, 100_000), "-1", "Between 0 and 100,000."),
        (CountField(), "-2", "It must be at least 0."),
        (BUDGET, "-3", "An amount above 0, or empty for none."),
        (BUDGET, "0", "An amount above 0, or empty for none."),
        (CAP, "-0.01", "An amount of 0 or more, or empty for none."),
        (CAP, "1.234", "At most 2 digits behind the point."),
        (CAP, "100000000", "Less than 100,000,000."),
        (BUDGET, "1000000", "Less than 1,000,000."),
        (CAP, "1e999999", "Less than 100,000,000."),
        (CAP, "12 dollars", "Write an amount in dollars, such as 12.50."),
        (CAP, "nan", "Write an amount in dollars, such as 12.50."),
    ],
)
def test_what_is_outside_is_told_in_one_sentence(field, text, sentence):
    assert fault(field, text) == [sentence]


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (CountField(0, 3), "3", 3),
        (CountField(required=False), "", None),
        (CAP, "0", Decimal(0)),
        (CAP, "", None),
        (CAP, "99999999.99", Decimal("99999999.99")),
        (BUDGET, "0.0001", Decimal("0.0001")),
        (CAP, "1.50000", Decimal("1.5")),
    ],
)
def test_what_is_inside_is_taken(field, text, value):
    assert field.clean(text) == value


@pytest.mark.parametrize("form", [LaunchFields, LimitsForm, CapsForm, PolicyForm])
def test_no_form_leaves_a_number_to_the_words_of_the_framework(form):
    shown = {name: field for name, field in form.base_fields.items() if not field.widget.is_hidden}
    ours = [name for name, field in shown.items() if isinstance(field, CountField | UsdField)]
    numbers = [
        name for name, field in shown.items() if type(field).__name__ in ("IntegerField", "DecimalField")
    ]
    assert ours
    assert not numbers
