"""django-allauth's switchboard: who may sign up, and where the links in its e-mails lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from django.conf import settings
from django.http import HttpRequest


@dataclass(frozen=True)
class PublicSite:
    """This installation as e-mails name it."""

    domain: str
    name: str = "Dispersed Web"


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by an operator (``manage.py add_member``), not by whoever finds the address."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A stranger may ask for somebody's e-mail, so its links never follow the Host header of the request."""
        request = allauth_context.request
        host = request.get_host() if request else ""
        public = {name: _public(value, host) for name, value in context.items()}
        site = PublicSite(urlsplit(settings.PUBLIC_URL).netloc)
        super().send_mail(template_prefix, email, public | {"current_site": site})


def _public(value: Any, host: str) -> Any:
    """An address of this installation with the host that it is known by; everything else as it is."""
    if not isinstance(value, str) or urlsplit(value).netloc != host or not host:
        return value
    parts = urlsplit(value)
    return settings.PUBLIC_URL + parts._replace(scheme="", netloc="").geturl()
