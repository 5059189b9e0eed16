"""What the pages of accounts need."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.core.serializers.json import DjangoJSONEncoder

register = template.Library()


@register.filter
def as_json(value: Any) -> str:
    """For an attribute that a script of ours reads; no script stands in a page."""
    return json.dumps(value, cls=DjangoJSONEncoder)


@register.filter
def grouped(code: str) -> str:
    """A recovery code in two groups, as people copy it by hand."""
    half = len(code) // 2
    return f"{code[:half]} {code[half:]}"
