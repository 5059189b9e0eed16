"""The account forms in the words of the other pages."""

from __future__ import annotations

from typing import Any

from allauth.account import forms


class SignInForm(forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["remember"].label = "Stay signed in on this device"


class ChangePasswordForm(forms.ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = "Current password"
        _name_both(self)


class ResetPasswordForm(forms.ResetPasswordKeyForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_both(self)


def _name_both(form: Any) -> None:
    form.fields["password1"].label = "New password"
    form.fields["password2"].label = "New password, again"
