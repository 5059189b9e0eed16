"""Where one lands after signing in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from dispersed_web.teams.models import Membership


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """To the team one was in last; without any team, a page that says what to do."""
    slugs = list(
        Membership.objects.filter(user=request.user.pk)
        .order_by("team__name")
        .values_list("team__slug", flat=True)
    )
    last = request.session.get("team")
    if not slugs:
        return render(request, "home/no_team.html")
    return redirect("web:team-home", last if last in slugs else slugs[0])
