"""What every answer says to browsers beyond Django's own headers, and how much a request may send at all."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

# Nothing here films, listens, locates or pays; passkeys and copying stay allowed to our own pages.
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
)
TOO_LARGE = "This is more than may be sent at once."


class HeadersMiddleware:
    """Stands outermost, so that refusals of other middleware and static files have the headers too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        # What says nothing of it is no file: caches between here and the reader may keep a 404 or a form otherwise.
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response


class BodyLimitMiddleware:
    """Turns away what is too large before anything of it is read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return _too_large(request) or self.get_response(request)


def _too_large(request: HttpRequest) -> HttpResponse | None:
    """Django bounds what is no file more tightly, and forms bound their files."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length <= 2 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return None
    if request.path.startswith("/api/"):
        error = {"code": "too_large", "message": TOO_LARGE, "fields": {}}
        return JsonResponse({"error": error}, status=413)
    return HttpResponse(TOO_LARGE, status=413, content_type="text/plain; charset=utf-8")
