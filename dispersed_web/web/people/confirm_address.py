"""The page behind the link that confirms an address.

Who signs up types an address and a password, and anybody can type anybody's address. So the link alone must never turn a
stranger's password into the key of an account with somebody else's address:

- The first address of an account is confirmed as it is in a browser where its password was given (at sign-up or at a
  sign-in), because there one person has both the password and the mail. Anywhere else the link proves the mail alone:
  the account is confirmed, everything that its maker opens it with is taken away, and its owner chooses a password.
- A changed address is confirmed by somebody who is signed in to the account. Otherwise a person could take the address
  of another, who needs only follow the link without reading closely.

django-allauth could send a code to be typed where the sign-up was made instead. A link was kept: it works from another
device, has nothing to be read out to a stranger who asks for it, and needs no further form.
"""

from __future__ import annotations

from typing import Any

from allauth.account import views as account
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from dispersed_web.accounts import unconfirmed
from dispersed_web.accounts.models import User

# Whose password was given in this browser, while their address was not confirmed.
SESSION_KEY = "waits_for_address"
CHOOSE = (
    "{email} is confirmed. Choose a password now: one that was typed in another browser does not count, because it may "
    "be a stranger's."
)


def remember(request: HttpRequest, user: User | None) -> None:
    """Somebody gave the password of the account in this browser. None where there is no account to wait for."""
    if user is not None:
        request.session[SESSION_KEY] = user.pk


class ConfirmAddress(account.ConfirmEmailView):
    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Reading changes nothing: nobody is signed out either."""
        return self._page()

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        address = self._address()
        if address is None:
            return self._page()
        if unconfirmed.is_change(address):
            return super().post(*args, **kwargs) if self._is_theirs(address) else self._page(403)
        if self.request.session.get(SESSION_KEY) == address.user_id or self._is_theirs(address):
            return super().post(*args, **kwargs)
        return self._take_over(address)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        address = self.object.email_address if self.object else None
        is_change = address is not None and unconfirmed.is_change(address)
        return context | {
            "is_change": is_change,
            "sign_in_first": is_change and not self._is_theirs(address),
            "here": self.request.path,
        }

    def _page(self, status: int = 200) -> HttpResponse:
        self._address()
        return self.render_to_response(self.get_context_data(), status=status)

    def _address(self) -> EmailAddress | None:
        """That of the link; ``None`` where the link works no more."""
        try:
            self.object = self.get_object()
        except Http404:
            self.object = None
        return self.object.email_address if self.object else None

    def _is_theirs(self, address: EmailAddress) -> bool:
        return bool(self.request.user.is_authenticated and self.request.user.pk == address.user_id)

    def _take_over(self, address: EmailAddress) -> HttpResponse:
        """Leads whoever reads the mail to choosing a password, and nobody else gets in meanwhile."""
        with transaction.atomic():
            if not self.object.confirm(self.request):
                return self._page()
            unconfirmed.disown(address.user)
        self.logout_other_user(self.object)
        list(messages.get_messages(self.request))  # that it is confirmed is said once
        messages.success(self.request, CHOOSE.format(email=address.email))
        key = default_token_generator.make_token(address.user)
        return redirect("account_reset_password_from_key", user_pk_to_url_str(address.user), key)


confirm_address = login_not_required(ConfirmAddress.as_view())
