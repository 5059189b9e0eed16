"""Leaving out the list of first steps."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from dispersed_web.accounts.models import User


@require_POST
def hide(request: HttpRequest) -> HttpResponse:
    """For this person, on every team's home page; nothing else changes."""
    User.objects.filter(pk=request.user.pk).update(hides_first_steps=True)
    return redirect("web:home")
