"""Forms for how people and teams are told."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.events.record import Actor
from dispersed_web.notifications import channels, outbound
from dispersed_web.notifications.models import Channel, ChannelKind, Wishes
from dispersed_web.teams.models import Team
from dispersed_web.web.forms.confirm import ConfirmedForm
from dispersed_web.web.forms.credential import NOT_KEPT


class ChannelForm(ConfirmedForm):
    """The address of a webhook, which is never sent back, and the format that it takes."""

    kind = forms.ChoiceField(
        label="What takes the messages",
        choices=[
            (ChannelKind.SLACK, "Slack, Mattermost or another that takes Slack's format"),
            (ChannelKind.DISCORD, "Discord"),
            (ChannelKind.JSON, "A program of yours, as JSON"),
        ],
        initial=ChannelKind.SLACK,
        widget=forms.RadioSelect,
    )
    url = forms.CharField(
        label="Address of the webhook",
        max_length=2000,
        widget=forms.PasswordInput(attrs={**NOT_KEPT, "placeholder": "https://hooks.slack.com/services/…"}),
        help_text="Whoever has it can write there, so it is stored encrypted and never shown again.",
    )
    field_order = ("kind", "url", "password")

    @sensitive_variables()
    def clean_url(self) -> str:
        url = self.cleaned_data["url"].strip()
        try:
            outbound.parse(url)
        except outbound.Refused as refused:
            raise forms.ValidationError(refused.sentence) from None
        return url

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        data = super().clean()
        known = channels.kind_of(data.get("url", ""))
        if known and data.get("kind") and data["kind"] != known:
            self.add_error("kind", f"This is an address of {known.label.partition(' ')[0]}: choose that.")
        return data

    @sensitive_variables()
    def store(self, team: Team, user: User, actor: Actor, now: dt.datetime) -> Channel | None:
        """Makes it the team's channel; ``None``, with the reason at its field, for an address that is refused."""
        try:
            return channels.store(
                team, self.cleaned_data["url"], self.cleaned_data["kind"], user=user, actor=actor, now=now
            )
        except outbound.Refused as refused:
            self.add_error("url", refused.sentence)
            return None


class WishesForm(forms.ModelForm):
    class Meta:
        model = Wishes
        fields = ("email_my_jobs",)
        labels = {"email_my_jobs": "E-mail me about my jobs"}  # noqa: RUF012
        help_texts = {  # noqa: RUF012
            "email_my_jobs": "Warnings before a stop, stops and trouble. Your inbox here gets them either way."
        }
