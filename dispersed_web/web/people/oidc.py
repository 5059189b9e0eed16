"""Sign-in by OpenID Connect, stricter than django-allauth's: the ID token is always there and verified by its signature,
issuer, audience and nonce, and what the provider calls a confirmed address is believed only when it says so."""

from __future__ import annotations

import secrets
from typing import Any

import jwt
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialToken
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare

PROVIDER_ID = "oidc"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
CLAIMS = ["iss", "sub", "aud", "exp", "iat"]
LEEWAY_S = 60
NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


class OidcAdapter(OpenIDConnectOAuth2Adapter):
    """One sign-in at the provider. ``nonce`` is what this browser was given on its way there."""

    nonce = ""
    # When the person last proved there who they are, in seconds since 1970, where the provider says it.
    proved_at: float | None = None

    @property
    def openid_config(self) -> dict[str, Any]:
        """The provider's description of itself. Raises ``OAuth2Error`` when it is none, or one of another issuer."""
        config = super().openid_config
        if not isinstance(config, dict) or not all(isinstance(config.get(name), str) for name in NEEDED):
            raise OAuth2Error("The description of the provider is not complete.")
        if config["issuer"].rstrip("/") != settings.OIDC_ISSUER:
            raise OAuth2Error("The provider calls itself another issuer.")
        return config

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Where the provider sends people back to: never after the Host header."""
        return settings.PUBLIC_URL + reverse("openid_connect_callback", kwargs={"provider_id": PROVIDER_ID})

    def complete_login(self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any) -> Any:
        """The person as the provider describes them. Raises ``OAuth2Error`` for what does not fit together."""
        claims = self._verified(app, kwargs["response"].get("id_token") or "")
        if not self.nonce or not constant_time_compare(str(claims.get("nonce", "")), self.nonce):
            raise OAuth2Error("The ID token was made for another sign-in.")
        self.proved_at = _moment(claims.get("auth_time"))
        if claims.get("azp", app.client_id) != app.client_id:
            raise OAuth2Error("The ID token was made for another application.")
        return self.get_provider().sociallogin_from_response(
            request, {"userinfo": self._person(claims, token)}
        )

    def _verified(self, app: Any, id_token: str) -> dict[str, Any]:
        try:
            return jwt.decode(
                id_token,
                key=self._key_of(id_token),
                algorithms=ALGORITHMS,
                audience=app.client_id,
                issuer=self.openid_config["issuer"],
                leeway=LEEWAY_S,
                options={"require": CLAIMS},
            )
        except (jwt.PyJWTError, TypeError, ValueError, KeyError) as error:
            raise OAuth2Error("The ID token is not valid.") from error

    def _key_of(self, id_token: str) -> jwt.PyJWK:
        """The provider's key that the token names. A key says itself for which algorithm it is."""
        header = jwt.get_unverified_header(id_token)
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
        keys = [key for key in jwt.PyJWKSet.from_dict(answer.json()).keys if key.public_key_use != "enc"]
        wanted = [key for key in keys if "kid" not in header or key.key_id == header["kid"]]
        if len(wanted) != 1 or wanted[0].algorithm_name != header.get("alg"):
            raise ValueError("no such key")
        return wanted[0]

    def _person(self, claims: dict[str, Any], token: SocialToken) -> dict[str, Any]:
        """What is kept of the person: who they are there, their name, their address and whether it is confirmed."""
        about = claims
        if "email" not in claims and self.openid_config.get("userinfo_endpoint"):
            about = self._fetch_user_info(token.token)
            if about.get("sub") != claims["sub"]:
                raise OAuth2Error("The provider told of somebody else.")
        return {
            "sub": str(claims["sub"]),
            "name": str(about.get("name") or ""),
            "email": str(about.get("email") or ""),
            "email_verified": about.get("email_verified") is True or about.get("email_verified") == "true",
        }


class OidcProvider(OpenIDConnectProvider):
    oauth2_adapter_class = OidcAdapter

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """On the way to the provider, with a nonce. Of what the address asks for only ``prompt=login`` counts."""
        nonce = secrets.token_urlsafe(32)
        params = {"nonce": nonce}
        if request.GET.get("auth_params") == "prompt=login":
            params["prompt"] = "login"
        return super().redirect(
            request,
            AuthProcess.LOGIN,
            next_url,
            scope=self.get_scope(),
            auth_params=params,
            nonce=nonce,
        )


class LoginView(OAuth2LoginView):
    pass


class CallbackView(OAuth2CallbackView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A provider that signs somebody in from a session of its own proves only what it saw then: that is no fresh proof
        for a sensitive act, also where the wish for a new one was taken out of the address on the way."""
        response = super().dispatch(request, *args, **kwargs)
        records = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY) or []
        if self.adapter.proved_at is not None and records and records[-1].get("method") == "socialaccount":
            records[-1]["at"] = min(records[-1]["at"], self.adapter.proved_at)
            request.session[AUTHENTICATION_METHODS_SESSION_KEY] = records
        return response

    def _get_state(self, request: HttpRequest, provider: Any) -> tuple[Any, Any]:
        state, response = super()._get_state(request, provider)
        self.adapter.nonce = (state or {}).get("nonce", "")
        return state, response


def _moment(value: object) -> float | None:
    """Seconds since 1970, of a claim that should be such; ``None`` for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
