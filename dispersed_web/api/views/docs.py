"""The OpenAPI document and the page to read it."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated

from dispersed_web.api.authentication import TokenAuthentication
from dispersed_web.api.documents import OVERVIEW
from dispersed_web.api.views.base import Private

# Its generator looks on first use for what it knows of other packages, and breaks when two threads do that at once.
_generating = threading.Lock()


class Schema(Private, SpectacularAPIView):
    """YAML, or JSON by ``?format=json``; for signed-in people and tokens."""

    schema = None
    custom_settings: ClassVar = {
        "DESCRIPTION": OVERVIEW,
        "TAGS": [{"name": "Jobs"}, {"name": "Auto-stop"}, {"name": "Team"}],
    }
    authentication_classes = (TokenAuthentication, SessionAuthentication)
    permission_classes = (IsAuthenticated,)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with _generating:
            return super().get(request, *args, **kwargs)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    return render(request, "api/docs.html")
