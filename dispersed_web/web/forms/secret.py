"""Forms for a team's secrets. What is typed as a value is never sent back to the browser."""

from __future__ import annotations

from typing import Any

from django import forms

from dispersed_web.credentials import secret_rules
from dispersed_web.credentials.models import TeamSecret, UsableBy
from dispersed_web.credentials.secret_names import LONGEST_NAME
from dispersed_web.credentials.secret_rules import LONGEST_NOTE, LONGEST_VALUE, SecretRefused
from dispersed_web.teams.models import Team
from dispersed_web.web.forms.confirm import ConfirmedForm
from dispersed_web.web.forms.usable_by import ChosenMembersField, UsableByField

_TYPED = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "class": "mono"}


STORED = "Stored encrypted. Nobody can read it here again, you neither. Several lines are kept as they are."


class NeverBack(forms.Textarea):
    """Always begins empty: on a fresh page, and when the form comes back with a fault."""

    def format_value(self, value: Any) -> str | None:
        return None


class AboutForm(ConfirmedForm):
    """Its value, its note, who may use it, and for which registries. An empty value keeps the one that is stored."""

    value = forms.CharField(
        required=False,
        strip=False,
        max_length=2 * LONGEST_VALUE,
        widget=NeverBack(attrs={**_TYPED, "class": "mono masked-text", "rows": "3"}),
    )
    note = forms.CharField(
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Read-only token of the lab"}),
        help_text="Everybody in the team reads it, so no secret belongs here.",
    )
    usable_by = UsableByField(initial=UsableBy.MEMBERS)
    chosen = ChosenMembersField()
    hosts = forms.CharField(
        label="Only for these registries",
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={**_TYPED, "rows": "2"}),
        help_text="One a line, such as ghcr.io or docker.io. It is then given to them as the password of an image and to "
        "nothing else, so no container can read it. Empty: for variables and every registry.",
    )
    field_order = ("name", "value", "note", "usable_by", "chosen", "hosts", "password")

    def __init__(self, *args: Any, team: Team, secret: TeamSecret | None = None, **kwargs: Any) -> None:
        if secret is not None:
            chosen = list(secret.chosen.values_list("user", flat=True))
            kwargs["initial"] = {
                "note": secret.note,
                "usable_by": secret.usable_by,
                "chosen": chosen,
                "hosts": "\n".join(secret.hosts),
            }
        super().__init__(*args, **kwargs)
        self.is_new = secret is None
        self.fields["chosen"].offer(team.pk)
        keeps = "" if self.is_new else " Leave it empty to keep the value that is stored."
        self.fields["value"].label = "Value" if self.is_new else "New value"
        self.fields["value"].help_text = f"{STORED}{keeps}"
        self.fields["value"].required = self.is_new
        if secret is not None and secret.hosts:
            self.fields["hosts"].help_text += " Letting it go to others than now needs the value typed anew."

    def clean_value(self) -> str:
        value = self.cleaned_data["value"]
        if value or self.is_new:
            try:
                secret_rules.clean_value(value)
            except SecretRefused as refused:
                raise forms.ValidationError(refused.sentence) from None
        return str(value)

    def clean_hosts(self) -> list[str]:
        try:
            return secret_rules.clean_hosts(self.cleaned_data["hosts"].replace(",", " ").split())
        except SecretRefused as refused:
            raise forms.ValidationError(refused.sentence) from None

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        is_chosen = data.get("usable_by") == UsableBy.CHOSEN
        if is_chosen and not data.get("chosen") and "chosen" not in self.errors:
            self.add_error("chosen", "Choose at least one member, or let others use it.")
        return data

    @property
    def about(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("note", "usable_by", "chosen", "hosts")}

    def refuse(self, refused: SecretRefused) -> None:
        """Shows why the domain refused, beside the field at fault or above the form."""
        self.add_error(refused.field if refused.field in self.fields else None, refused.sentence)


class SecretForm(AboutForm):
    """A secret under a new name."""

    name = forms.CharField(
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={**_TYPED, "placeholder": "hf-token"}),
        help_text="Letters, digits, - and _. Recipes name it, so it cannot be changed later.",
    )
