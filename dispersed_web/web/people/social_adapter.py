"""django-allauth's switchboard for sign-in by OpenID Connect."""

from __future__ import annotations

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter


class SocialAdapter(DefaultSocialAccountAdapter):
    """Nothing differs from django-allauth's own so far."""
