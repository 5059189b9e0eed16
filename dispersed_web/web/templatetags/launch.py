"""Fields of the launch form that a recipe may decide."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
# A lock belongs to its field: where the field is not shown for the chosen task, neither is the lock.
ONE_TASK = ("only-batch", "only-persistent")


@register.simple_block_tag(end_name="endasked")
def asked(content: SafeString, field: Any) -> SafeString:
    """A field's markup: nothing where a question of the recipe sets the field, with a lock where its author locked it."""
    if getattr(field.field, "is_covered", False):
        return mark_safe("")
    if not field.field.disabled:
        return content
    lock = render_to_string("launch/_lock.html")
    kind = next((f" {name}" for name in ONE_TASK if name in content), "")
    return mark_safe(f'<div class="launch-locked{kind}">{content}{lock}</div>')  # noqa: S308 - both are rendered templates
