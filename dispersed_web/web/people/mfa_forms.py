"""django-allauth's forms of second factors, with attempts counted in the database, a code that opens once, and the secret of
an authenticator app sealed while it is being set up. They are named in the setting ``MFA_FORMS``."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.internal.flows.add import validate_can_add_authenticator
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts import throttles
from dispersed_web.clock import database_now
from dispersed_web.credentials.vault import CannotOpen
from dispersed_web.web.forms.confirm import password_is_right, renew_session
from dispersed_web.web.people import mfa_events

WRONG = "This is not the code. Use the newest one, and check the clock of the phone."
USED = "This code was used already. Wait for the next one."
UNREADABLE = "Your second factor cannot be read just now. Tell whoever runs this installation."
# What a browser of no good will may send, and the library takes no care of
ODD = (KeyError, TypeError, ValueError, AttributeError, IndexError)


class CodeField(forms.CharField):
    """Six or eight digits, however they are spaced."""

    def __init__(self, label: str = "Code", **kwargs: Any) -> None:
        attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "class": "mono"}
        super().__init__(label=label, max_length=40, widget=forms.TextInput(attrs=attrs), **kwargs)

    def to_python(self, value: Any) -> str:
        return "".join((super().to_python(value) or "").split()).replace("-", "")


class SetUpAppForm(ActivateTOTPForm):
    """The first code of a new authenticator app. The app's secret waits in the session until then, sealed."""

    code = CodeField("Code that the app shows now")

    @sensitive_variables()
    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        forms.Form.__init__(self, *args, **kwargs)
        self.user = user
        self.secret = self._waiting() if self.is_bound else self._new()

    @sensitive_variables()
    def clean_code(self) -> str:
        validate_can_add_authenticator(self.user)
        code = self.cleaned_data["code"]
        _take("code", self.user)
        if not totp.validate_totp_code(self.secret, code):
            raise forms.ValidationError(WRONG)
        _open_once(self.user, code)
        throttles.give_back("code", self.user.pk)
        return code

    @sensitive_variables()
    def _waiting(self) -> str:
        """A new one where none waits, whose code nobody can know yet."""
        try:
            return get_adapter().decrypt(context.request.session[totp.SECRET_SESSION_KEY])
        except (KeyError, CannotOpen):
            return self._new()

    @sensitive_variables()
    def _new(self) -> str:
        secret = totp.generate_totp_secret()
        context.request.session[totp.SECRET_SESSION_KEY] = get_adapter().encrypt(secret)
        return secret


class CodeForm(forms.Form):
    """A code of the authenticator app, or a recovery code, after the password."""

    code = CodeField()
    counted = ("code",)
    is_repeated = False

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.authenticator: Authenticator | None = None

    @sensitive_variables()
    def clean_code(self) -> str:
        code = self.cleaned_data["code"]
        for name in self.counted:
            _take(name, self.user)
        self.authenticator = self._opened_by(code)
        if self.authenticator is None:
            raise forms.ValidationError(WRONG)
        for name in self.counted:
            throttles.give_back(name, self.user.pk)
        return code

    def save(self) -> None:
        """Notes in the session that the person proved who they are."""
        post_authentication(context.request, self.authenticator, reauthenticated=self.is_repeated)
        if self.authenticator.type == Authenticator.Type.RECOVERY_CODES:
            mfa_events.recovery_code_used(self.authenticator, database_now())

    @sensitive_variables()
    def _opened_by(self, code: str) -> Authenticator | None:
        mine = Authenticator.objects.filter(user=self.user).exclude(type=Authenticator.Type.WEBAUTHN)
        try:
            return next((one for one in mine.order_by("-type") if self._opens(one, code)), None)
        except CannotOpen:
            raise forms.ValidationError(UNREADABLE) from None

    @sensitive_variables()
    def _opens(self, one: Authenticator, code: str) -> bool:
        one.user = self.user
        if one.type == Authenticator.Type.RECOVERY_CODES:
            return one.wrap().validate_code(code)
        if not totp.validate_totp_code(get_adapter().decrypt(one.data["secret"]), code):
            return False
        _open_once(self.user, code)
        return True


class ConfirmCodeForm(CodeForm):
    """The same for somebody who is signed in, before a sensitive act."""

    counted = ("code", "sudo")
    is_repeated = True

    def save(self) -> None:
        super().save()
        renew_session(context.request)


class ConfirmPasswordForm(forms.Form):
    """For people without a second factor, on a page of its own where the act has no form that could ask."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    @sensitive_variables()
    def clean_password(self) -> str:
        if not password_is_right(context.request, self.cleaned_data["password"]):
            raise forms.ValidationError("This is not your password.")
        return ""


class KeyForm(webauthn.AuthenticateWebAuthnForm):
    """The answer of a security key, after the password."""

    counted = ("code",)

    def clean_credential(self) -> Authenticator:
        for name in self.counted:
            _take(name, self.user)
        try:
            found = super().clean_credential()
        except ODD:
            raise forms.ValidationError(KEY_WRONG) from None
        for name in self.counted:
            throttles.give_back(name, self.user.pk)
        return found


class ConfirmKeyForm(KeyForm):
    """The same for somebody who is signed in, before a sensitive act."""

    counted = ("code", "sudo")
    reauthenticated = True

    def clean_credential(self) -> Authenticator:
        found = super().clean_credential()
        renew_session(context.request)
        return found


class AddKeyForm(webauthn.AddWebAuthnForm):
    """A new security key, and what the person calls it."""

    name = forms.CharField(
        label="Name of the key",
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "YubiKey, or this laptop"}),
        help_text="By which you tell it from others.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"name": ""}
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except ODD:
            raise forms.ValidationError(KEY_WRONG) from None


class RenameKeyForm(webauthn.EditWebAuthnForm):
    name = forms.CharField(label="Name of the key", max_length=60)


KEY_WRONG = "The key did not answer as expected. Try again."


def _take(name: str, user: Any) -> None:
    if wait_s := throttles.take(name, user.pk, database_now()):
        raise forms.ValidationError(f"Too many wrong attempts. Try again in {throttles.in_words(wait_s)}.")


def _open_once(user: Any, code: str) -> None:
    if throttles.take("code_used", f"{user.pk}:{code}", database_now()):
        raise forms.ValidationError(USED)
