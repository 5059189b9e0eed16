"""One's own SSH keys. A private key is refused, and neither stored nor logged nor shown again."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from dispersed_web.accounts import key_keeping
from dispersed_web.accounts.key_keeping import KeyRefused
from dispersed_web.accounts.models import SshKey, User
from dispersed_web.accounts.ssh_keys import parse_public_key
from dispersed_web.events.changes import changes
from dispersed_web.events.security import note_account
from dispersed_web.web.forms.ssh_keys import KeyNameForm, SshKeyForm
from dispersed_web.web.views import me

KEYS = "#ssh-key"


@sensitive_post_parameters()
@require_POST
@sensitive_variables()
def add(request: HttpRequest) -> HttpResponse:
    form = SshKeyForm(request.POST)
    if not store(request, form):
        return me.page(request, ssh=form)
    return redirect(reverse("web:me") + KEYS)


@sensitive_variables()
def store(request: HttpRequest, form: SshKeyForm) -> bool:
    """Stores the key that was typed and says so; or puts into the form why not."""
    if not form.is_valid():
        return False
    data = form.cleaned_data
    user = User.objects.get(pk=request.user.pk)
    try:
        with transaction.atomic():
            key = key_keeping.add(user, data["key"], data["name"], timezone.now())
            _note(key, "key_added", f"added the SSH key “{key.name}” ({key.fingerprint}).")
    except KeyRefused as refused:
        form.add_error(refused.field or None, refused.sentence)
        return False
    messages.success(request, f"The key “{key.name}” is stored. Its fingerprint is {key.fingerprint}.")
    return True


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def key(request: HttpRequest, key_id: uuid.UUID) -> HttpResponse:
    """One key; a POST gives it another name."""
    found = _mine(request, key_id)
    form = KeyNameForm(request.POST or None, initial={"name": found.name})
    if request.method == "POST" and form.is_valid():
        before = found.name
        try:
            with transaction.atomic():
                key_keeping.rename(found, form.cleaned_data["name"])
                _note_rename(found, before)
        except KeyRefused as refused:
            form.add_error("name", refused.sentence)
        else:
            messages.success(request, "Saved.")
            return redirect(reverse("web:me") + KEYS)
    context = {"key": found, "public": parse_public_key(found.line), "form": form}
    return render(request, "me/ssh_key.html", context, status=422 if form.errors else 200)


@require_POST
def make_default(request: HttpRequest, key_id: uuid.UUID) -> HttpResponse:
    found = _mine(request, key_id)
    with transaction.atomic():
        key_keeping.make_default(found)
        _note(found, "key_made_default", f"made the SSH key “{found.name}” the one that jobs get.")
    messages.success(request, f"Jobs get “{found.name}” from now on, unless another key is chosen.")
    return redirect(reverse("web:me") + KEYS)


@require_POST
def remove(request: HttpRequest, key_id: uuid.UUID) -> HttpResponse:
    found = _mine(request, key_id)
    with transaction.atomic():
        heir = key_keeping.remove(found)
        _note(found, "key_removed", f"removed the SSH key “{found.name}” ({found.fingerprint}).")
    then = f" Jobs get “{heir.name}” from now on." if heir else ""
    messages.success(request, f"“{found.name}” is removed. Jobs that run with it keep it.{then}")
    return redirect(reverse("web:me") + KEYS)


def _note_rename(key: SshKey, before: str) -> None:
    after = SshKey.objects.values_list("name", flat=True).get(pk=key.pk)
    if data := changes("accounts.SshKey", {"name": before}, {"name": after}):
        _note(key, "key_renamed", f"renamed the SSH key “{before}” to “{after}”.", data)


def _note(key: SshKey, kind: str, words: str, data: dict[str, Any] | None = None) -> None:
    note_account(key.user, f"account.{kind}", f"{key.user} {words}", timezone.now(), data)


def _mine(request: HttpRequest, key_id: uuid.UUID) -> SshKey:
    found = SshKey.objects.select_related("user").filter(pk=key_id, user=request.user.pk).first()
    if found is None:
        raise Http404
    return found
