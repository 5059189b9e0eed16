"""Who the token is, and the credentials it may launch with."""

from __future__ import annotations

from rest_framework import serializers

from dispersed_web.api.serializers.base import UtcDateTimeField
from dispersed_web.api.serializers.jobs import PersonSerializer
from dispersed_web.credentials.models import CredentialState, UsableBy
from dispersed_web.teams.models import ApiToken
from dispersed_web.teams.roles import Role


class TeamSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()


class TokenSerializer(serializers.Serializer):
    name = serializers.CharField()
    kind = serializers.ChoiceField(
        ["personal", "service"], help_text="A person's own, or the team's, which acts as nobody in person."
    )
    scope = serializers.ChoiceField(ApiToken._meta.get_field("scope").choices)
    expires_at = UtcDateTimeField()


class MeSerializer(serializers.Serializer):
    person = PersonSerializer(allow_null=True, help_text="Null for a token of the team.")
    team = TeamSerializer()
    role = serializers.ChoiceField([role.value for role in Role])
    token = TokenSerializer()
    may = serializers.ListField(
        child=serializers.ChoiceField(["see", "launch", "stop", "extend", "manage_limits"]),
        help_text="What scope and role together allow.",
    )


class MayLaunchSerializer(serializers.Serializer):
    """Whether a job of the longest lifetime that the team allows could be launched now."""

    allowed = serializers.BooleanField()
    code = serializers.CharField(allow_blank=True)
    sentence = serializers.CharField(allow_blank=True, help_text="Why not, or why it would have to wait.")


class CapsSerializer(serializers.Serializer):
    """What may be launched with a credential. Null and empty limit nothing; the same caps hold for launches here."""

    max_active_jobs = serializers.IntegerField(allow_null=True, help_text="Jobs at once.")
    max_hourly_usd = serializers.DecimalField(
        10, 2, allow_null=True, help_text="All its jobs together, per hour."
    )
    max_day_usd = serializers.DecimalField(
        10, 2, allow_null=True, help_text="Spent today, in the team's zone."
    )
    max_month_usd = serializers.DecimalField(10, 2, allow_null=True, help_text="Spent this month.")
    task = serializers.ChoiceField(["", "BATCH", "PERSISTENT"], help_text="Empty: both.")
    gpu_models = serializers.ListField(child=serializers.CharField())
    max_gpu_count = serializers.IntegerField(allow_null=True, help_text="In one job, over all its machines.")
    regions = serializers.ListField(child=serializers.CharField())
    images = serializers.ListField(child=serializers.CharField(), help_text="Patterns; * is any text.")
    max_lifetime_s = serializers.IntegerField(allow_null=True, help_text="To a job's hard end.")


class CredentialSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    public_key_hint = serializers.CharField()
    simulated = serializers.BooleanField()
    state = serializers.ChoiceField(CredentialState.values)
    failure = serializers.CharField(allow_blank=True, help_text="The last fault; empty when all is well.")
    listed_at = UtcDateTimeField(allow_null=True, help_text="As of when the jobs of this key are shown.")
    expires_at = UtcDateTimeField(allow_null=True)
    usable_by = serializers.ChoiceField(UsableBy.choices, help_text="Who may launch with it.")
    managed_by = serializers.ChoiceField(["admins", "owners"], help_text="Who may change and replace it.")
    retired_at = UtcDateTimeField(allow_null=True)
    replaced_by = serializers.UUIDField(allow_null=True, help_text="What took the place of a retired one.")
    caps = CapsSerializer()
    may_launch = MayLaunchSerializer()


class CredentialListSerializer(serializers.Serializer):
    credentials = CredentialSerializer(many=True)
