"""Which public key a job gets: one of the person's, one of the team's, another that is pasted, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts import ssh_keys
from dispersed_web.accounts.models import SshKey, User
from dispersed_web.teams.models import Team, TeamSshKey
from dispersed_web.web.forms.fields import RefusingTextarea

NONE, OTHER = "none", "other"
LONGEST = 20_000


@dataclass(frozen=True)
class KnownKey:
    """A stored key: ``value`` is its name in the form, ``group`` whose it is."""

    value: str
    name: str
    line: str
    group: str


def known_keys(user: User, team: Team) -> list[KnownKey]:
    """The person's keys, the default one first, then the team's."""
    mine = SshKey.objects.filter(user=user).order_by("-is_default", "name")
    shared = TeamSshKey.objects.filter(team=team).order_by("name")
    return [
        *(KnownKey(f"mine:{key.pk}", key.name, key.line, "Yours") for key in mine),
        *(KnownKey(f"team:{key.pk}", key.name, key.line, str(team)) for key in shared),
    ]


class SshKeyWidget(forms.MultiWidget):
    """A choice of keys, posted as ``<name>_from``, and beside it the text of another one, posted as ``<name>``. Where no
    key is stored there is only the text."""

    template_name = "launch/_ssh_widget.html"

    def __init__(self, keys: Sequence[KnownKey] = (), attrs: dict[str, Any] | None = None) -> None:
        typed = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off", "rows": "3"}
        typed |= {
            "class": "mono",
            "placeholder": "ssh-ed25519 AAAA… you@laptop",
            "aria-label": "SSH public key",
        }
        super().__init__({"from": forms.Select(), "": RefusingTextarea(attrs=typed)}, attrs)
        self.use_keys(keys)

    def use_keys(self, keys: Sequence[KnownKey]) -> None:
        self.keys = list(keys)
        groups: dict[str, list[tuple[str, str]]] = {}
        for key in keys:
            groups.setdefault(key.group, []).append((key.value, key.name))
        self.widgets[0].choices = [*groups.items(), (OTHER, "Another key"), (NONE, "No key")]

    def decompress(self, value: str | None) -> list[str]:
        line = value or ""
        chosen = next((key.value for key in self.keys if key.line == line), OTHER if line else NONE)
        return [chosen, line if chosen == OTHER else ""]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen, typed = context["widget"]["subwidgets"]
        if "id" in typed["attrs"]:
            base = typed["attrs"]["id"].removesuffix("_1")
            chosen["attrs"]["id"], typed["attrs"]["id"] = f"{base}_from", base
        chosen["attrs"]["data-ssh-from"] = typed["attrs"]["data-ssh-key"] = True
        context["widget"]["has_keys"] = bool(self.keys)
        if not self.keys:
            typed["attrs"].pop("aria-label", None)  # the field's own label names it
        return context


class SshKeyChoiceField(forms.Field):
    """Cleaned to the line of a public key, or an empty text. What is no public key is refused without repeating it."""

    widget = SshKeyWidget

    def use_keys(self, keys: Sequence[KnownKey]) -> None:
        self.widget.use_keys(keys)

    @sensitive_variables()
    def clean(self, value: Any) -> str:
        chosen, text = value if isinstance(value, list) else self.widget.decompress(value)
        text = (text or "").strip()
        if len(text) > LONGEST or "PRIVATE KEY" in text:
            raise ValidationError("This is a private key. Keep it secret, and paste the .pub file instead.")
        if chosen == NONE:
            return ""
        if chosen and chosen != OTHER:
            return self._line_of(chosen)
        return _public_line(text) if text else ""

    def _line_of(self, chosen: str) -> str:
        for key in self.widget.keys:
            if key.value == chosen:
                return key.line
        raise ValidationError("This key is not stored any more. Choose another.")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return True


@sensitive_variables()
def _public_line(text: str) -> str:
    try:
        return ssh_keys.parse_public_key(text).line
    except ssh_keys.BadSshKey as error:
        raise ValidationError(str(error)) from None
