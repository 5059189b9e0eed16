"""Pages of one's second factors. django-allauth does the work; here they are closed to who did not confirm lately who they
are, changes are told, and recovery codes are shown in the answer that made them and nowhere else."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as of_codes
from allauth.mfa.recovery_codes.internal.flows import can_generate_recovery_codes
from allauth.mfa.totp import views as of_apps
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, clear_totp_secret
from allauth.mfa.webauthn import views as of_keys
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_safe

from dispersed_web.accounts.models import User
from dispersed_web.clock import database_now
from dispersed_web.teams.models import Membership
from dispersed_web.web.forms.confirm import renew_session
from dispersed_web.web.people import mfa_events
from dispersed_web.web.people.mfa_events import Factors
from dispersed_web.web.people.sudo import only_fresh

View = Callable[..., HttpResponse]
SECRETS = sensitive_post_parameters("code", "credential")
FEW_CODES = 3
SET_UP_ELSEWHERE = (
    "Your account has an authenticator app already: it was set up in another browser meanwhile. The entry that you just "
    "made in your app opens nothing, so delete it there. If you set up no other app, remove it here, and change your "
    "password."
)


def of(user: Any) -> dict[str, Any]:
    """What the pages show of somebody's second factors."""
    rows = list(Authenticator.objects.filter(user=user).order_by("created_at", "pk"))
    codes = next((one for one in rows if one.type == mfa_events.CODES), None)
    left = mfa_events.codes_left(codes) if codes else 0
    found = {
        "app": next((one for one in rows if one.type == Authenticator.Type.TOTP), None),
        "security_keys": [_key(one) for one in rows if one.type == Authenticator.Type.WEBAUTHN],
        "codes": codes,
        "codes_left": left,
        "codes_run_out": bool(codes) and left <= FEW_CODES,
    }
    return found | {"has_factor": bool(found["app"] or found["security_keys"])}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What there is, and the way to more of it."""
    wanted_by = Membership.objects.filter(user=request.user, team__require_mfa=True).select_related("team")
    teams = [one.team for one in wanted_by.order_by("team__name")]
    return render(request, "mfa/index.html", of(request.user) | {"wanted_by": teams})


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """The keys stand on the page of all second factors."""
    return redirect("mfa_index")


@require_safe
def codes(request: HttpRequest) -> HttpResponse:
    """Recovery codes are shown once, when they are made."""
    return redirect("mfa_index")


def nothing(request: HttpRequest) -> HttpResponse:
    """Stands for pages of allauth that this product does without."""
    raise Http404


def guarded(view: View) -> View:
    """One of django-allauth's pages as it is here. What it needs on screen beside its own context is added by
    :func:`extras`."""

    @SECRETS
    @only_fresh
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return _with_extras(view(request, *args, **kwargs), request)
        with transaction.atomic():
            # Two browsers of one person come one after the other: each would find nothing set up yet.
            User.objects.select_for_update(no_key=True).only("pk").get(pk=request.user.pk)
            before = Factors.of(request.user)
            response = view(request, *args, **kwargs)
            after = Factors.of(request.user)
            mfa_events.tell_change(request.user, before, after, database_now())
            if after.codes not in (None, before.codes):
                response = _made_codes(request, after.codes)
        _note_proof(request, before, after)
        return _with_extras(response, request)

    return wrapped


@sensitive_variables()
def _made_codes(request: HttpRequest, codes_id: int) -> HttpResponse:
    row = Authenticator.objects.get(pk=codes_id, user=request.user)
    wrapped = row.wrap()
    wrapped.mark_as_viewed()
    context = {
        "made": wrapped.get_unused_codes(),
        "heading": f"Recovery codes of {request.user.email} at {settings.PUBLIC_URL}. Each opens the account once.",
    }
    return render(request, "mfa/recovery_codes/made.html", context)


def _note_proof(request: HttpRequest, before: Factors, after: Factors) -> None:
    """Who just set up a factor used it, and need not use it again at once."""
    for pk in after.words.keys() - before.words.keys():
        record_authentication(request, request.user, "mfa", id=pk, reauthenticated=True)
        renew_session(request)


def _with_extras(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    """What a page of django-allauth shows here besides its own."""
    if hasattr(response, "context_data") and response.context_data is not None:
        response.context_data |= of(request.user) | {"by_address": _is_address(request.get_host())}
        if getattr(response.context_data.get("form"), "errors", None):
            response.status_code = 422
    return response


def _is_address(host: str) -> bool:
    """Whether the page was opened by an IP address, under which browsers offer no security keys."""
    try:
        ipaddress.ip_address(host.rpartition(":")[0].strip("[]") or host)
    except ValueError:
        return False
    return True


def _key(one: Authenticator) -> dict[str, Any]:
    extensions = one.data.get("credential", {}).get("clientExtensionResults", {})
    is_passkey = extensions.get("credProps", {}).get("rk") is True
    return {"row": one, "name": one.data.get("name", ""), "is_passkey": is_passkey}


def _generate(request: HttpRequest) -> HttpResponse:
    if not can_generate_recovery_codes(request.user):
        return redirect("mfa_index")
    return of_codes.generate_recovery_codes(request)


def _set_up_app(request: HttpRequest) -> HttpResponse:
    return _told_of_other_app(request) or of_apps.activate_totp(request)


def _told_of_other_app(request: HttpRequest) -> HttpResponse | None:
    """One app an account. Whoever sent a code while another browser set up another app is told what became of theirs."""
    if not Authenticator.objects.filter(user=request.user, type=Authenticator.Type.TOTP).exists():
        return None
    if request.method == "POST":
        clear_totp_secret(request)
        messages.error(request, SET_UP_ELSEWHERE)
    return redirect("mfa_index")


def _even_if_not_fresh(view: View) -> View:
    """Whoever was setting up an app hears it before they are asked who they are: now that the account has an app, their
    password alone does not tell that."""

    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        told = _told_of_other_app(request) if SECRET_SESSION_KEY in request.session else None
        return told or view(request)

    return wrapped


def _remove_app(request: HttpRequest) -> HttpResponse:
    if not Authenticator.objects.filter(user=request.user, type=Authenticator.Type.TOTP).exists():
        return redirect("mfa_index")
    return of_apps.deactivate_totp(request)


set_up_app = _even_if_not_fresh(guarded(_set_up_app))
remove_app = guarded(_remove_app)
add_key = guarded(of_keys.add_webauthn)
rename_key = guarded(of_keys.edit_webauthn)
remove_key = guarded(of_keys.remove_webauthn)
make_codes = guarded(_generate)
