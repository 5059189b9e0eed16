"""Forms of whoever runs the installation."""

from __future__ import annotations

from django import forms

from dispersed_web.web.forms.confirm import ConfirmedForm


class EmergencyStopForm(ConfirmedForm):
    why = forms.CharField(
        label="Reason",
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="The team's admins read it, and it stays in their audit log.",
    )
    field_order = ("why", "password")
