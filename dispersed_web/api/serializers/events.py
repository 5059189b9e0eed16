"""Events of the audit log, and what is asked about them."""

from __future__ import annotations

from rest_framework import serializers

from dispersed_web.api.serializers.base import StrictSerializer, UtcDateTimeField
from dispersed_web.events.models import ActorKind
from dispersed_web.events.search import GROUPS

MAYBE = {"allow_null": True}
PAGE_SIZE = 50
SUBJECT = r"^[a-z]{1,20}:[A-Za-z0-9-]{1,36}$"


class EventQuerySerializer(StrictSerializer):
    group = serializers.ChoiceField(
        list(GROUPS), required=False, help_text="The noun that the kinds of events begin with, such as `job`."
    )
    kind = serializers.CharField(
        required=False, max_length=40, help_text="One kind of event, such as `job.launched`."
    )
    actor = serializers.ChoiceField(ActorKind.values, required=False, help_text="What kind of actor acted.")
    person = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**62,
        help_text="Who acted, also by a program: `actor_user_id`.",
    )
    subject = serializers.RegexField(
        SUBJECT, required=False, help_text="What it is about, as `type:id`, such as `job:6f1c…`."
    )
    ip_address = serializers.IPAddressField(required=False, help_text="From which IP address.")
    q = serializers.CharField(required=False, max_length=100, help_text="Words in the sentence.")
    since = UtcDateTimeField(required=False, help_text="Not before this moment.")
    until = UtcDateTimeField(required=False, help_text="Before this moment.")
    cursor = serializers.RegexField(r"^[0-9]{1,18}$", required=False, help_text="`next_cursor` of a page.")
    limit = serializers.IntegerField(default=PAGE_SIZE, min_value=1, max_value=200)


class EventSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    at = UtcDateTimeField()
    kind = serializers.CharField()
    sentence = serializers.CharField()
    actor_kind = serializers.ChoiceField(ActorKind.values)
    actor_label = serializers.CharField()
    actor_user_id = serializers.IntegerField(**MAYBE)
    subject_type = serializers.CharField()
    subject_id = serializers.CharField()
    data = serializers.DictField(  # type: ignore[assignment]
        help_text="What is known of it beside the sentence; `before` and `after` where something was changed."
    )
    ip_address = serializers.CharField(**MAYBE)
    user_agent = serializers.CharField(allow_blank=True)
    request_id = serializers.CharField(allow_blank=True)
    chain_number = serializers.IntegerField(
        **MAYBE, help_text="Its place in the team's chain; null in the first seconds."
    )
    chain_hash = serializers.CharField(allow_blank=True)


class EventPageSerializer(serializers.Serializer):
    events = EventSerializer(many=True, help_text="Newest first.")
    next_cursor = serializers.CharField(**MAYBE)  # type: ignore[assignment]
