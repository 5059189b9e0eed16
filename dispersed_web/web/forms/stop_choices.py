"""What people choose of auto-stop for one job, at its launch or while it runs: the fields, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from dispersed_web import durations
from dispersed_web.jobs.errors import LaunchRefused
from dispersed_web.jobs.launch import StopChoices, check_choices
from dispersed_web.teams.models import AutostopPolicy
from dispersed_web.web.forms.amounts import UsdField
from dispersed_web.web.forms.fields import DurationField
from dispersed_web.web.words import round_duration

# The fields that only a PERSISTENT job has.
OF_USE = ("idle_limit", "checkin_every", "uses_logs", "log_noise")
OF_MONEY = ("budget_usd", "rate_cap_usd")
MOST_NOISE, LONGEST_NOISE = 20, 200


class NoiseField(forms.CharField):
    """Texts, one a line; cleaned to a tuple without repeats."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, (list, tuple)) else value

    def clean(self, value: Any) -> tuple[str, ...]:  # type: ignore[override]
        lines = value if isinstance(value, tuple) else super().clean(value).splitlines()
        lines = [line.strip() for line in lines]
        texts = tuple(dict.fromkeys(line for line in lines if line))
        if len(texts) > MOST_NOISE:
            raise ValidationError(f"At most {MOST_NOISE} texts can be given.")
        if any(len(text) > LONGEST_NOISE for text in texts):
            raise ValidationError(f"Each in {LONGEST_NOISE} characters or less.")
        return texts


class StopChoiceFields(forms.Form):
    """Empty follows the team's policy, and for money sets no limit but the usual one."""

    idle_limit = DurationField(label="When not used for", required=False)
    checkin_every = DurationField(label="Ask every", required=False)
    uses_logs = forms.BooleanField(label="Its log tells whether it works", required=False)
    log_noise = NoiseField(
        label="Lines that are no sign of work",
        required=False,
        max_length=8000,
        help_text="One text a line. A log line that contains one of them does not count.",
        widget=forms.Textarea(
            attrs={
                "rows": "3",
                "class": "mono",
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": "GET /health",
            }
        ),
    )
    budget_usd = UsdField(label="Most it may cost", required=False)
    rate_cap_usd = UsdField(4, label="Highest price per hour", required=False)

    def show_bounds(self, policy: AutostopPolicy) -> None:
        """Says beside the fields what the team's policy sets and allows."""
        usual = durations.write(policy.high_idle_s)
        self.fields["idle_limit"].widget.attrs["placeholder"] = usual
        self.fields["idle_limit"].help_text = (
            f"Known by a heartbeat or the log. Empty: the team’s {round_duration(policy.high_idle_s)} by heartbeat, "
            f"{round_duration(policy.medium_idle_s)} by log. At most {_most_idle(policy)}."
        )
        self.fields["checkin_every"].widget.attrs["placeholder"] = durations.write(policy.checkin_every_s)
        self.fields["checkin_every"].help_text = (
            f"Where nothing tells whether it is used. Empty: first after {round_duration(policy.checkin_first_s)}, then "
            f"every {round_duration(policy.checkin_every_s)}. At most {round_duration(policy.checkin_every_max_s)}."
        )

    def blame_choices(self, policy: AutostopPolicy) -> None:
        """Shows what lies outside the team's bounds beside its field."""
        try:
            check_choices(choices_of(self.cleaned_data), policy)
        except LaunchRefused as refused:
            if refused.field not in self.errors:
                self.add_error(refused.field, refused.sentence)


def choices_of(data: Mapping[str, Any]) -> StopChoices:
    """What was chosen; a field at fault counts as left empty."""
    return StopChoices(
        idle_limit_s=data.get("idle_limit"),
        checkin_every_s=data.get("checkin_every"),
        uses_logs=bool(data.get("uses_logs")),
        log_noise=tuple(data.get("log_noise") or ()),
        budget_usd=data.get("budget_usd"),
        rate_cap_usd=data.get("rate_cap_usd"),
    )


def initial_of(choices: StopChoices) -> dict[str, Any]:
    """The fields of a form that shows ``choices``."""
    return {
        "idle_limit": choices.idle_limit_s,
        "checkin_every": choices.checkin_every_s,
        "uses_logs": choices.uses_logs,
        "log_noise": choices.log_noise,
        "budget_usd": choices.budget_usd,
        "rate_cap_usd": choices.rate_cap_usd,
    }


def _most_idle(policy: AutostopPolicy) -> str:
    high, medium = policy.high_idle_max_s, policy.medium_idle_max_s
    if high == medium:
        return round_duration(high)
    return f"{round_duration(high)} by heartbeat, {round_duration(medium)} by log"
