"""Forms for SSH keys, of a person and of a team. A private key that was pasted by mistake is never sent back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.html import format_html

from dispersed_web.accounts.key_keeping import LONGEST_NAME
from dispersed_web.accounts.ssh_keys import BadSshKey, PublicKey, parse_public_key


class Unechoed(forms.Textarea):
    """What was typed is not sent back: it may be a private key, pasted by mistake."""

    def format_value(self, value: Any) -> None:
        return None


class NameInput(forms.TextInput):
    """Shows again only what can be a name."""

    def format_value(self, value: Any) -> str | None:
        text = super().format_value(value) or ""
        return text if len(text) <= LONGEST_NAME and "PRIVATE" not in text and "BEGIN" not in text else None


class SshKeyForm(forms.Form):
    """One SSH public key and its name; ``cleaned_data["key"]`` is a :class:`PublicKey`."""

    key = forms.CharField(
        label="SSH public key",
        max_length=20_000,
        widget=Unechoed(
            attrs={
                "rows": 3,
                "class": "mono",
                "placeholder": "ssh-ed25519 AAAA… you@laptop",
                "spellcheck": "false",
                "data-ssh-key": True,
                "autocomplete": "off",
            }
        ),
        help_text=format_html(
            "The one line of the file that ends in .pub, for example <code>{}</code>.",
            "~/.ssh/id_ed25519.pub",
        ),
    )
    name = forms.CharField(
        required=False,
        max_length=LONGEST_NAME,
        widget=NameInput(attrs={"autocomplete": "off", "placeholder": "Laptop"}),
        help_text="Empty: the comment at the end of the key.",
    )
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # It shares its page with the profile, which has a name too.
        super().__init__(*args, auto_id="ssh_%s", **kwargs)

    def clean_key(self) -> PublicKey:
        try:
            return parse_public_key(self.cleaned_data["key"])
        except BadSshKey as error:
            raise forms.ValidationError(str(error)) from None


class KeyNameForm(forms.Form):
    """Another name for a key."""

    name = forms.CharField(max_length=LONGEST_NAME, widget=NameInput(attrs={"autocomplete": "off"}))
