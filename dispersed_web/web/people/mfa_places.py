"""Where the secrets of second factors are sealed: in the JSON of django-allauth's rows."""

from __future__ import annotations

from dispersed_web.credentials.sealed import Column
from dispersed_web.credentials.vault import Place

# allauth names neither row nor person where it seals, so the seal is bound to the installation and the kind alone.
PLACE = Place("authenticator", "", "", "secret")


def columns() -> list[Column]:
    """Authenticator apps keep a secret, recovery codes the seed that they are made from."""
    named = (("authenticator apps", "secret"), ("recovery codes", "seed"))
    return [Column(name, "mfa.Authenticator", "data", lambda row: PLACE, key=key) for name, key in named]
