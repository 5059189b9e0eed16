"""A piece of a template that is made once and then kept: the frame of a page takes longer than what it frames."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token, token_kwargs
from django.template.context import BaseContext, Context

register = template.Library()
# Of each piece; then all of it is forgotten.
MOST_KEPT = 200


class KeptNode(template.Node):
    """Sees nothing but the values that it names. So it says the same whenever they are the same, and can show nobody what
    was made for somebody else."""

    def __init__(self, body: NodeList, names: dict[str, FilterExpression]) -> None:
        self.body = body
        self.names = names
        self._kept: dict[tuple[Any, ...], str] = {}

    def render(self, context: BaseContext) -> str:
        values = {name: value.resolve(context) for name, value in self.names.items()}
        # With their types: what is safe HTML equals the same text that is not.
        key = (context.autoescape, *((type(value), value) for value in values.values()))
        found = self._kept.get(key)
        if found is None:
            found = self._make(values, context)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = found
        return found

    def _make(self, values: dict[str, Any], around: BaseContext) -> str:
        alone = Context(values, autoescape=around.autoescape)
        alone.template = around.template
        return self.body.render(alone)


@register.tag
def kept(parser: Parser, token: Token) -> KeptNode:
    """``{% kept slug=team.slug role=shell.role %}…{% endkept %}``: inside stand only ``slug`` and ``role``; no request, no
    token of a form, and nothing that changes by itself."""
    bits = token.split_contents()[1:]
    names = token_kwargs(bits, parser)
    if bits:
        raise template.TemplateSyntaxError(f"kept takes name=value only, not {bits[0]!r}")
    body = parser.parse(("endkept",))
    parser.delete_first_token()
    return KeptNode(body, names)
