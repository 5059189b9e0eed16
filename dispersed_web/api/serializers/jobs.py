"""Jobs as they are given out. No field here can hold a secret: sealed columns have no place in it."""

from __future__ import annotations

from rest_framework import serializers

from dispersed_web.api.serializers.base import UsdField, UtcDateTimeField
from dispersed_web.api.serializers.kept import JobRecipeSerializer
from dispersed_web.autostop import deadlines
from dispersed_web.autostop.activity import Confidence, Lane
from dispersed_web.autostop.policy import State
from dispersed_web.jobs.models import Origin
from dispersed_web.jobs.states import Reason, Status

MAYBE = {"allow_null": True}
RULES = (
    deadlines.IDLE,
    deadlines.CHECKIN,
    deadlines.LIFETIME,
    deadlines.SCHEDULE,
    deadlines.BUDGET,
    deadlines.RATE,
    deadlines.STUCK,
)


class PersonSerializer(serializers.Serializer):
    name = serializers.CharField(help_text="The name, or the e-mail address of somebody who gave none.")
    email = serializers.EmailField()


class CostSerializer(serializers.Serializer):
    """Estimates in USD, from price and time, until the cloud bills."""

    quoted_hourly_usd = UsdField(**MAYBE, help_text="The price when it was asked for.")
    hourly_rate_usd = UsdField(**MAYBE, help_text="The price of what runs or ran.")
    estimate_usd = UsdField(**MAYBE, help_text="Until now; null while no price is known.")


class JobBriefSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    title = serializers.CharField()
    task = serializers.ChoiceField(["BATCH", "PERSISTENT"])
    status = serializers.ChoiceField([status.value for status in Status])
    reason = serializers.ChoiceField(["", *(reason.value for reason in Reason)], help_text="Why it ended.")
    reason_text = serializers.CharField(allow_blank=True, help_text="Why it ended or waits, as a sentence.")
    owner = PersonSerializer(
        **MAYBE, help_text="Who answers for it: who launched it, until it is handed over."
    )
    origin = serializers.ChoiceField(Origin.choices, help_text="How it came to be known here.")
    tags = serializers.ListField(child=serializers.CharField())
    starred = serializers.BooleanField(help_text="Whether it is your favourite; others see theirs.")
    credential_id = serializers.UUIDField()
    gpu = serializers.CharField(allow_blank=True)
    remote_uuid = serializers.CharField(**MAYBE, help_text="The cloud's own id; null until it is known.")
    created_at = UtcDateTimeField(help_text="When it was asked for.")
    launched_at = UtcDateTimeField(**MAYBE, help_text="When the cloud took it.")
    running_at = UtcDateTimeField(**MAYBE)
    ended_at = UtcDateTimeField(**MAYBE)
    runtime_s = serializers.IntegerField(**MAYBE, help_text="From the first second of RUNNING.")
    cost = CostSerializer()
    stop_at = UtcDateTimeField(**MAYBE, help_text="When it will be stopped, unless it is extended.")
    stop_requested_at = UtcDateTimeField(**MAYBE)
    page_url = serializers.URLField(help_text="Its page, for people.")


class JobPageSerializer(serializers.Serializer):
    jobs = JobBriefSerializer(many=True)
    next_cursor = serializers.CharField(**MAYBE, help_text="For the following page; null at the end.")
    previous_cursor = serializers.CharField(**MAYBE)


class SpecEnvSerializer(serializers.Serializer):
    name = serializers.CharField()
    value = serializers.CharField(**MAYBE, allow_blank=True, help_text="Null for a secret.")
    secret = serializers.BooleanField()
    team_secret = serializers.CharField(**MAYBE, help_text="The name of the team's secret that it got.")


class SpecVolumeSerializer(serializers.Serializer):
    image = serializers.CharField()
    tag = serializers.CharField(allow_blank=True)
    registry = serializers.CharField(allow_blank=True)
    user = serializers.CharField(allow_blank=True)
    has_secret = serializers.BooleanField()
    team_secret = serializers.CharField(**MAYBE, help_text="The name of the team's secret that it got.")
    mount = serializers.CharField()


class SpecSerializer(serializers.Serializer):
    """What was asked for. Secrets are left out."""

    description = serializers.CharField(allow_blank=True)
    image = serializers.CharField(allow_blank=True)
    tag = serializers.CharField(allow_blank=True)
    registry_host = serializers.CharField(allow_blank=True)
    registry_user = serializers.CharField(allow_blank=True)
    has_registry_secret = serializers.BooleanField()
    registry_team_secret = serializers.CharField(
        **MAYBE, help_text="The name of the team's secret that it got."
    )
    image_source = serializers.CharField(allow_blank=True)
    volumes = SpecVolumeSerializer(many=True)
    cpu_count = serializers.IntegerField(**MAYBE)
    gpu_count = serializers.IntegerField(**MAYBE)
    gpu_name = serializers.CharField(allow_blank=True)
    gpu_registry_uuid = serializers.CharField(allow_blank=True)
    min_vram_gb = serializers.IntegerField(**MAYBE)
    min_ram_gb = serializers.IntegerField(**MAYBE)
    min_storage_gb = serializers.IntegerField(**MAYBE)
    allowed_region_codes = serializers.ListField(child=serializers.CharField())
    max_node_count = serializers.IntegerField(**MAYBE)
    max_retry_count = serializers.IntegerField(**MAYBE)
    max_timeout_assign_ms = serializers.IntegerField(**MAYBE)
    max_timeout_start_ms = serializers.IntegerField(**MAYBE)
    max_timeout_run_ms = serializers.IntegerField(**MAYBE)
    ports = serializers.ListField(child=serializers.IntegerField())
    allowed_ips = serializers.ListField(child=serializers.CharField())
    ssh_key = serializers.CharField(allow_blank=True)
    env = SpecEnvSerializer(many=True)


class AddressSerializer(serializers.Serializer):
    description = serializers.CharField(allow_blank=True)
    hostname = serializers.CharField(allow_blank=True)
    port = serializers.IntegerField(**MAYBE)
    protocol = serializers.CharField(allow_blank=True)
    tls = serializers.BooleanField(**MAYBE)
    container_port = serializers.IntegerField(**MAYBE)


class RunSerializer(serializers.Serializer):
    """One execution on a node."""

    remote_uuid = serializers.CharField()
    status = serializers.CharField(help_text="The cloud's own word.")
    started_at = UtcDateTimeField(**MAYBE)
    running_at = UtcDateTimeField(**MAYBE)
    ended_at = UtcDateTimeField(**MAYBE)
    hourly_rate_usd = UsdField(**MAYBE)
    addresses = AddressSerializer(
        many=True, help_text="Where its ports can be reached; empty until the cloud says."
    )


class LimitsSerializer(serializers.Serializer):
    version = serializers.IntegerField(help_text="Moves with every change; name it when you extend.")
    lifetime_s = serializers.IntegerField(**MAYBE)
    extended_until = UtcDateTimeField(**MAYBE)
    latest_stop_at = UtcDateTimeField(**MAYBE, help_text="No extension goes beyond it.")
    protected_until = UtcDateTimeField(
        **MAYBE, help_text="Not stopped for idleness before; hard limits hold."
    )
    protected_reason = serializers.CharField(allow_blank=True)
    confirmed_at = UtcDateTimeField(**MAYBE, help_text="Last time somebody said that it is in use.")
    idle_limit_s = serializers.IntegerField(
        **MAYBE, help_text="The job's own; null follows the team's policy."
    )
    checkin_every_s = serializers.IntegerField(
        **MAYBE, help_text="The job's own; null follows the team's policy."
    )
    uses_logs = serializers.BooleanField(help_text="Whether a silent log means that it is idle.")
    budget_usd = UsdField(**MAYBE, help_text="The most that it may cost in all.")
    rate_cap_usd = UsdField(**MAYBE, help_text="The most that it may cost per hour.")


class EvidenceSerializer(serializers.Serializer):
    signal = serializers.ChoiceField([*(lane.value for lane in Lane), "heartbeat"])
    state = serializers.ChoiceField(["active", "quiet", "blind"])
    value = serializers.CharField(help_text="What it said, in words.")
    observed_at = UtcDateTimeField(help_text="When it was seen last.")
    since = UtcDateTimeField(**MAYBE, help_text="Since when it says so.")
    samples = serializers.IntegerField(help_text="How many samples say so.")


class VerdictSerializer(serializers.Serializer):
    """What auto-stop thinks of the job now, and what it is based on."""

    state = serializers.ChoiceField([state.value for state in State])
    stop_at = UtcDateTimeField(**MAYBE)
    warn_at = UtcDateTimeField(
        **MAYBE, help_text="When people are warned; for a check-in, when they are asked."
    )
    rule = serializers.ChoiceField(["", *RULES], help_text="The limit that decides; empty without one.")
    confidence = serializers.ChoiceField(
        [one.value for one in Confidence], help_text="How well it is known whether the job is used."
    )
    sentence = serializers.CharField()
    waits_for = serializers.CharField(
        allow_blank=True, help_text="Why a stop that is due waits all the same."
    )
    quiet_since = UtcDateTimeField(**MAYBE)
    idle_limit_s = serializers.IntegerField(**MAYBE, help_text="Quiet for so long, it is stopped.")
    last_active = EvidenceSerializer(**MAYBE)
    blind_since = UtcDateTimeField(**MAYBE, help_text="Since when its signals are silent.")
    would_stop_at = UtcDateTimeField(
        **MAYBE, help_text="When it would be stopped for idleness, while the team only observes that."
    )
    evidence = EvidenceSerializer(many=True)


class StopProgressSerializer(serializers.Serializer):
    """A stop that was asked for. It is done when the job's status is COMPLETED, FAILED or CANCELLED and not before."""

    requested_at = UtcDateTimeField()
    requested_by = PersonSerializer(**MAYBE, help_text="Null when auto-stop asked.")
    reason = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    attempts = serializers.IntegerField(help_text="How often the cloud was told to stop it.")
    sent_at = UtcDateTimeField(**MAYBE)
    next_try_at = UtcDateTimeField(**MAYBE, help_text="Null once the end is sure.")
    error = serializers.CharField(allow_blank=True, help_text="Why the latest attempt failed.")
    is_stuck = serializers.BooleanField(help_text="It takes long: the job may still cost money.")
    because = serializers.CharField(allow_blank=True, help_text="What auto-stop decided on, as a sentence.")
    evidence = EvidenceSerializer(many=True, help_text="Behind a stop for idleness.")


class JobSerializer(JobBriefSerializer):
    launched_by = PersonSerializer(**MAYBE, help_text="Whose budgets it counts for.")
    recipe = JobRecipeSerializer(**MAYBE, help_text="Null without one, and for one that you may not see.")
    notes = serializers.CharField(allow_blank=True, help_text="Markdown.")
    notes_version = serializers.CharField(
        help_text="Moves with every change of the notes; name it when you write some."
    )
    remote_status = serializers.CharField(allow_blank=True, help_text="The cloud's own word.")
    cook_uuid = serializers.CharField(
        allow_blank=True, help_text="The recipe of Dispersed that it was made from."
    )
    assigned_at = UtcDateTimeField(**MAYBE)
    limits = LimitsSerializer()
    verdict = VerdictSerializer(**MAYBE, help_text="Null when it ended or its stop was asked for.")
    stop = StopProgressSerializer(**MAYBE, help_text="Null while nobody asked for its stop.")
    runs = RunSerializer(many=True)
    spec = SpecSerializer()
