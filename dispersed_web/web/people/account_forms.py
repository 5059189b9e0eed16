"""The account forms in the words of the other pages, and counted."""

from __future__ import annotations

from typing import Any

from allauth.account import forms
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.core import context as allauth_context
from django import forms as django_forms
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts import addresses, throttles, unconfirmed
from dispersed_web.accounts.models import User
from dispersed_web.accounts.passwords import LONGEST
from dispersed_web.accounts.places import network_of
from dispersed_web.web.client_address import client_address
from dispersed_web.web.forms.browser_zone import BrowserZoneField
from dispersed_web.web.forms.confirm import password_is_right
from dispersed_web.web.people import attempts, signup
from dispersed_web.web.people.account_adapter import too_often

PASSWORD_HELP = "At least 12 characters. A few words that belong together make a good one."  # noqa: S105


class SignInForm(forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "E-mail address"
        self.fields["remember"].label = "Stay signed in on this device"
        _bound(self.fields["password"])


class SignUpForm(forms.SignupForm):
    """An account: address, name, password. With an invitation the address is the invited one."""

    name = django_forms.CharField(
        label="Your name",
        max_length=User._meta.get_field("name").max_length,
        required=False,
        widget=django_forms.TextInput(attrs={"autocomplete": "name"}),
        help_text="How your team sees you.",
    )
    time_zone = BrowserZoneField()
    field_order = ("email", "name", "password1", "password2")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fix_address(self)
        _name_both(self, "Password")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors:
            count_sign_up(allauth_context.request)
        return cleaned

    def validate_unique_email(self, value: str) -> str:
        """An address to which somebody wants to change is not theirs yet: it stands in nobody's way."""
        email = super().validate_unique_email(value)
        self.account_already_exists &= User.objects.filter(email__iexact=value).exists()
        return email

    @sensitive_variables()
    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Where the address has an account, its owner gets an e-mail and the answer is the same, after the same work."""
        if not self.account_already_exists:
            try:
                with transaction.atomic():
                    return super().try_save(request)
            except IntegrityError:  # made meanwhile, perhaps by a second click
                self.account_already_exists = True
        User().set_password(self.cleaned_data["password1"])
        return super().try_save(request)


class ChangePasswordForm(forms.ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = "Current password"
        _bound(self.fields["oldpassword"])
        _name_both(self, "New password")

    @sensitive_variables()
    def clean_oldpassword(self) -> str:
        """Counted like every other confirmation of who somebody is."""
        password = self.cleaned_data["oldpassword"]
        if not password_is_right(allauth_context.request, password):
            raise get_adapter().validation_error("enter_current_password")
        return password


class SetPasswordForm(forms.SetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_both(self, "New password")


class ResetPasswordForm(forms.ResetPasswordForm):
    """Asks for the e-mail. Known and unknown addresses are counted and answered alike."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "E-mail address"

    def clean_email(self) -> str:
        email = super().clean_email()
        # An address that an account only wants to change to is not its own: who reads mail there may be somebody else.
        mine = [user for user in self.users if user.email.lower() == email.lower()]
        self.users = [user for user in mine if not user.is_service]
        now, network = timezone.now(), network_of(client_address(allauth_context.request))
        for name, key in (("reset_address", network), ("reset", attempts.key_of(email))):
            if wait_s := throttles.take(name, key, now):
                raise too_often(wait_s, "Too many e-mails were asked for")
        return email


class ResetPasswordKeyForm(forms.ResetPasswordKeyForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_both(self, "New password")

    @sensitive_variables()
    def save(self) -> None:
        """The link went to the account's address, so whoever followed it also confirmed it. An account that nobody had
        confirmed may be a stranger's work: nothing of theirs opens it any more."""
        with transaction.atomic():
            if unconfirmed.is_unconfirmed(self.user):
                unconfirmed.disown(self.user)
                addresses.vouch(self.user)
            super().save()


class AddEmailForm(forms.AddEmailForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "New address"
        del self.fields["email"].widget.attrs["placeholder"]

    def save(self, request: HttpRequest) -> EmailAddress:
        try:
            return super().save(request)
        except IntegrityError:  # a second click, while the first was at work: its mail is on its way
            return EmailAddress(user=self.user, email=self.cleaned_data["email"])


def fix_address(form: Any) -> None:
    """An invitation is for one address: no other can be typed."""
    form.fields["email"].label = "E-mail address"
    invitation = signup.invitation_of(allauth_context.request)
    if invitation:
        form.fields["email"].disabled = True
        form.fields["email"].initial = form.initial["email"] = invitation.email


def count_sign_up(request: HttpRequest) -> None:
    """Raises ``ValidationError`` after too many from one address."""
    if wait_s := throttles.take("signup", network_of(client_address(request)), timezone.now()):
        raise too_often(wait_s, "Too many accounts were made from here")


def _name_both(form: Any, label: str) -> None:
    form.fields["password1"].label = label
    form.fields["password1"].help_text = PASSWORD_HELP
    _bound(form.fields["password1"])
    if "password2" in form.fields:
        form.fields["password2"].label = f"{label}, again"
        _bound(form.fields["password2"])


def _bound(field: Any) -> None:
    """Nothing longer than a password may be is ever hashed. The browser must not cut it silently, so no maxlength."""
    field.widget.attrs.pop("placeholder", None)
    field.validators.append(not_too_long)


def not_too_long(text: str) -> None:
    """Raises ``ValidationError``."""
    if len(text) > LONGEST:
        raise django_forms.ValidationError(f"A password has at most {LONGEST} characters.")
