"""Leaving out the list of first steps, and bringing it back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from dispersed_web.accounts.models import User


@require_POST
def hide(request: HttpRequest) -> HttpResponse:
    """For this person, on every team's home page, or with ``show`` back again; nothing else changes."""
    hides = "show" not in request.POST
    User.objects.filter(pk=request.user.pk).update(hides_first_steps=hides)
    if hides:
        messages.success(request, "The first steps are hidden. Profile and security brings them back.")
    return redirect("web:home")
