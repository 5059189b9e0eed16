"""How pages name the product's commands to whoever runs the server."""

from __future__ import annotations

from django import template

from dispersed_web import commands

register = template.Library()
register.simple_tag(commands.named, name="command")
