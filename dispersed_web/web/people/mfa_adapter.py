"""django-allauth's switchboard for second factors: their secrets are sealed with the product's own keys."""

from __future__ import annotations

from allauth.mfa.adapter import DefaultMFAAdapter
from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials.vault import Place, seal, unseal

# allauth names neither row nor person here, so the seal is bound to the installation and the kind alone.
PLACE = Place("authenticator", "", "", "secret")


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
