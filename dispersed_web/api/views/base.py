"""What all views of the API share."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404, HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView


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
