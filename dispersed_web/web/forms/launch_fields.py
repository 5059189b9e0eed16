"""The launch form's fields: how each is read and shown. Their rules are in ``launch.py``."""

from __future__ import annotations

from django import forms

from dispersed_web.dispersed import BATCH, PERSISTENT
from dispersed_web.jobs.keeping import LONGEST_TITLE
from dispersed_web.web.forms import regions
from dispersed_web.web.forms.amounts import CountField
from dispersed_web.web.forms.fields import (
    AddressesField,
    DurationField,
    PortsField,
)
from dispersed_web.web.forms.region_choice import RegionWidget
from dispersed_web.web.forms.ssh_choice import SshKeyChoiceField
from dispersed_web.web.forms.stop_choices import StopChoiceFields
from dispersed_web.web.forms.team_secrets import SecretFromField

TASKS = [(BATCH, "Batch"), (PERSISTENT, "Persistent")]
MOST_COPIES = 20
REACHES = [("me", "Only my address"), ("list", "These addresses"), ("anyone", "Anyone")]


def _typed(**attrs: str) -> dict[str, str]:
    """What is no prose is neither corrected nor remembered by the browser."""
    return {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off", **attrs}


class LaunchFields(StopChoiceFields):
    title = forms.CharField(
        max_length=LONGEST_TITLE,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "What is it for?"}),
    )
    description = forms.CharField(
        required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": "2", "autocomplete": "off"})
    )
    task = forms.ChoiceField(choices=TASKS, widget=forms.RadioSelect)
    image = forms.CharField(
        max_length=500, widget=forms.TextInput(attrs=_typed(placeholder="dispersednetwork/base"))
    )
    tag = forms.CharField(
        required=False, max_length=200, widget=forms.TextInput(attrs=_typed(placeholder="latest"))
    )
    registry_host = forms.CharField(
        label="Registry",
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs=_typed(placeholder="registry.gitlab.com")),
    )
    registry_user = forms.CharField(
        label="User", required=False, max_length=300, widget=forms.TextInput(attrs=_typed())
    )
    # Typed values are sent back in a password input for the reason told in env.py.
    registry_secret = forms.CharField(
        label="Password or token",
        required=False,
        max_length=4000,
        strip=False,
        widget=forms.PasswordInput(
            render_value=True, attrs={"autocomplete": "new-password", "spellcheck": "false"}
        ),
    )
    registry_from = SecretFromField(label="Password or token: where it is from")
    image_source = forms.CharField(
        label="Image source", required=False, max_length=300, widget=forms.TextInput(attrs=_typed())
    )
    credential = forms.UUIDField(widget=forms.Select)
    gpu = forms.CharField(required=False, max_length=64, label="GPU")
    gpu_name = forms.CharField(
        label="Name of the GPU",
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs=_typed(placeholder="RTX 5090")),
    )
    gpu_count = CountField(label="GPUs")
    cpu_count = CountField(label="CPU cores, at least", required=False)
    min_vram_gb = CountField(label="VRAM, at least", required=False)
    min_ram_gb = CountField(label="RAM, at least", required=False)
    min_storage_gb = CountField(label="Disk, at least", required=False)
    allowed_region_codes = forms.MultipleChoiceField(
        label="Regions", required=False, choices=regions.CHOICES, widget=RegionWidget
    )
    max_node_count = CountField(1, label="Nodes, at most")
    max_retry_count = CountField(label="Retries after a failure")
    max_timeout_assign = DurationField(label="Wait for a node")
    max_timeout_start = DurationField(label="Start, image pull included")
    max_timeout_run = DurationField(label="Run for at most", required=False)
    lifetime = DurationField(label="Stop after", required=False)
    ssh_key = SshKeyChoiceField(label="SSH public key", required=False)
    ports = PortsField(
        label="Ports to publish", required=False, widget=forms.TextInput(attrs=_typed(placeholder="22, 8888"))
    )
    reach = forms.ChoiceField(
        label="Who may connect", required=False, choices=REACHES, widget=forms.RadioSelect
    )
    allowed_ips = AddressesField(
        label="Addresses",
        required=False,
        widget=forms.TextInput(attrs=_typed(placeholder="203.0.113.7, 198.51.100.0/24")),
    )
    env_lines = forms.CharField(
        label="Paste NAME=value lines",
        required=False,
        max_length=200_000,
        widget=forms.Textarea(attrs=_typed(rows="4", placeholder="MODEL=llama") | {"class": "mono"}),
    )
    copies = CountField(1, MOST_COPIES, initial=1, label="Copies", required=False)
    same_again = forms.BooleanField(label="Launch the same again", required=False)
    supersedes_sure = forms.BooleanField(
        label="I know that the first one may be running and costing money", required=False
    )
