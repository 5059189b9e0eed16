"""What Django's reports of exceptions may show: where something broke, never what was in it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from dispersed_web.credentials.masking import masked


class NoValues(SafeExceptionReporterFilter):
    """Django's own filter lets everything pass while DEBUG is on, and otherwise goes by names; here no local variable,
    no posted value and no setting or header that could hold an address with a password is shown at all."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: Any
    ) -> list[tuple[str, Any]]:
        return []

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, str]:
        return dict.fromkeys(request.POST if request else (), self.cleansed_substitute)

    def get_safe_settings(self) -> dict[str, Any]:
        return {}

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        """The development server puts the whole environment among the headers."""
        return {name: request.META[name] for name in ("REQUEST_METHOD", "PATH_INFO") if name in request.META}

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return {}


class Reporter(ExceptionReporter):
    """Masks known secrets and what looks like one in the finished report, the exception's own words included."""

    def get_traceback_html(self) -> str:
        return masked(super().get_traceback_html())

    def get_traceback_text(self) -> str:
        return masked(super().get_traceback_text())
