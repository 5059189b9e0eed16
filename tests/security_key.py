"""What a browser said when a security key was added, once, for pages that show one. It signs nothing here."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator

from dispersed_web.accounts.models import User

CLIENT = (
    "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoieXZXeHotOU5mOWVuZkdwVWVmR2lLamR5THB5UGNpVGRj"
    "czNmLXA4UE1aayIsIm9yaWdpbiI6Imh0dHA6Ly9sb2NhbGhvc3Q6NDQ5NDMiLCJjcm9zc09yaWdpbiI6ZmFsc2V9"
)
ATTESTATION = (
    "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVikSZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2NFAAAAAQAAAAAA"
    "AAAAAAAAAAAAAAAAIAXiaxPSqPaBdS0K40Tau2AKS5QcwGmg8zQeAFAakhiipQECAyYgASFYIAuwKwzG51_1c6Sf1O5Au3fz"
    "Q-tmId2ns151oGS8I53WIlgg54T0GXRsM0BwNM0OhRvNn8r3VMcA5njjkCk5IqmXb0E"
)
CREDENTIAL: dict[str, Any] = {
    "type": "public-key",
    "id": "BeJrE9Ko9oF1LQrjRNq7YApLlBzAaaDzNB4AUBqSGKI",
    "rawId": "BeJrE9Ko9oF1LQrjRNq7YApLlBzAaaDzNB4AUBqSGKI",
    "authenticatorAttachment": "cross-platform",
    "response": {"clientDataJSON": CLIENT, "attestationObject": ATTESTATION, "transports": ["usb"]},
    "clientExtensionResults": {"credProps": {"rk": True}},
}


def give_security_key(user: User, name: str = "Blue key") -> Authenticator:
    return Authenticator.objects.create(
        user=user, type=Authenticator.Type.WEBAUTHN, data={"name": name, "credential": CREDENTIAL}
    )
