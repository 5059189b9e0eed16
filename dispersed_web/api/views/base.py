"""What all views of the API share."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.http import Http404, HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from dispersed_web.api.errors import Refused


class Private:
    """Nothing that is for one caller is kept by a cache."""

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        patch_cache_control(response, no_store=True, private=True)
        patch_vary_headers(response, ["Authorization"])
        return response


class ApiView(Private, APIView):
    """Tokens only, JSON only. ``OPTIONS`` is not answered: the OpenAPI document tells more."""

    http_method_names: ClassVar = ["get", "head", "post"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """A program that calls without TLS is told so rather than led on: its token went in the clear."""
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            raise Refused(
                403, "https_required", "Call this address by https. A token that was sent is to be revoked."
            )
        super().initial(request, *args, **kwargs)


class UnknownAddress(ApiView):
    """Every other address under ``/api/``, for everybody."""

    schema = None
    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Http404


def valid(serializer_class: type[Serializer], data: Any) -> dict[str, Any]:
    """The validated values of ``data``. Raises the framework's ValidationError."""
    serializer = serializer_class(data=data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
