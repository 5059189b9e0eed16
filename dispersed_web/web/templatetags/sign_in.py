"""What the pages for signed-out people offer."""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.http import urlencode

from dispersed_web.web.people import oidc, signup

register = template.Library()


@register.simple_tag(takes_context=True)
def sign_in_ways(context: Any) -> dict[str, Any]:
    """``provider`` and ``provider_url`` of OpenID Connect, if one is configured; ``may_sign_up``; the sign-up ``mode``;
    and the ``invitation`` that this browser came with."""
    request = context["request"]
    return {
        "mode": settings.SIGNUP,
        "may_sign_up": signup.may_sign_up(request),
        "invitation": signup.invitation_of(request),
        "provider": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
        "provider_url": _provider_url(request.GET.get("next", "")) if settings.OIDC_ISSUER else "",
    }


def _provider_url(next_url: str) -> str:
    """Whether ``next_url`` is one of ours is judged when somebody comes back."""
    url = reverse("openid_connect_login", kwargs={"provider_id": oidc.PROVIDER_ID})
    return f"{url}?{urlencode({'next': next_url})}" if next_url else url
