"""django-allauth's switchboard for second factors: their secrets are sealed with the product's own keys."""

from __future__ import annotations

from allauth.mfa.adapter import DefaultMFAAdapter
from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials.vault import seal, unseal
from dispersed_web.web.people.mfa_places import PLACE


class MfaAdapter(DefaultMFAAdapter):
    @sensitive_variables()
    def encrypt(self, text: str) -> str:
        return seal(text, PLACE)

    @sensitive_variables()
    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text, PLACE)

    def _get_site_name(self) -> str:
        """As security keys name this installation to people."""
        return "Dispersed Web"
