"""The body of a launch: every field of the cloud's create call, flat, and what this product adds."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

from rest_framework import serializers

from dispersed_web.api.serializers.base import StrictSerializer
from dispersed_web.dispersed import REGION_CODES
from dispersed_web.jobs import marker
from dispersed_web.jobs.keeping import LONGEST_TITLE

LONGEST_TEXT = 20_000
# Far beyond anything that is offered, and small enough that times and prices computed from them fit their columns.
MOST = 1_000_000
MOST_NODES = 1000
MOST_RETRIES = 100
LONGEST_MS = 30 * 24 * 3600 * 1000


def _number(help_text: str, most: int = MOST) -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=most, help_text=help_text
    )


def _text(help_text: str, **options: Any) -> serializers.CharField:
    options = {"max_length": 1000} | options
    return serializers.CharField(required=False, allow_blank=True, help_text=help_text, **options)


def _seconds(help_text: str) -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False, allow_null=True, min_value=60, max_value=2**31 - 1, help_text=help_text
    )


def _usd(help_text: str) -> serializers.DecimalField:
    return serializers.DecimalField(
        required=False, allow_null=True, max_digits=9, decimal_places=2, help_text=help_text
    )


class EnvSerializer(StrictSerializer):
    name = serializers.CharField(max_length=200)
    value = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, max_length=100_000)
    team_secret_id = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="In place of `value`: a secret of the team, from `GET /api/v1/secrets`. The launcher must be allowed to "
        "use it.",
    )
    secret = serializers.BooleanField(
        required=False,
        help_text="A secret value is stored encrypted and never shown again. Left out, the name decides: what has TOKEN, "
        "KEY, SECRET, PASS, CRED or AUTH in it is secret. A secret of the team always is.",
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if ("value" in values) == bool(values.get("team_secret_id")):
            raise serializers.ValidationError({"value": "Give a value or a secret of the team, one of them."})
        return values


def _team_secret(help_text: str, **options: Any) -> serializers.UUIDField:
    help_text += " A secret of the team, from `GET /api/v1/secrets`."
    return serializers.UUIDField(required=False, allow_null=True, help_text=help_text, **options)


class VolumeSerializer(StrictSerializer):
    """A data image mounted into the container. The cloud's documentation names these fields and says no more."""

    image = serializers.CharField(max_length=500, help_text="Without its tag.")
    tag = _text("")
    registry = _text("For a private image.")
    user = _text("For a private image.")
    secret = _text(
        "Stored encrypted, never shown again.",
        trim_whitespace=False,
        max_length=LONGEST_TEXT,
        write_only=True,
    )
    team_secret_id = _team_secret("In place of `secret`.", write_only=True)
    mount = serializers.CharField(max_length=1000, help_text="An absolute path, such as `/data`.")


class LaunchSerializer(StrictSerializer):
    credential_id = serializers.UUIDField(help_text="From `GET /api/v1/credentials`.")
    task = serializers.ChoiceField(["BATCH", "PERSISTENT"])
    title = serializers.CharField(max_length=LONGEST_TITLE)
    description = _text("ASCII.", max_length=LONGEST_TEXT)
    image = serializers.CharField(max_length=500, help_text="Without its tag.")
    tag = _text("`latest` if left out.")
    registry_host = _text("For a private image.")
    registry_user = _text("For a private image.")
    registry_secret = _text(
        "Stored encrypted, never shown again.", trim_whitespace=False, max_length=LONGEST_TEXT
    )
    registry_secret_id = _team_secret("In place of `registry_secret`.")
    image_source = _text("`imagesrc` of the cloud's call, which does not say what it means; sent as it is.")
    volumes = VolumeSerializer(many=True, required=False, max_length=10)

    cpu_count = _number("Cores.")
    gpu_count = _number("GPUs of each node.")
    gpu_name = _text("Such as `RTX 5090`; or `gpu_registry_uuid`, not both.")
    gpu_registry_uuid = _text("A model of the cloud's GPU registry.")
    min_vram_gb = _number("")
    min_ram_gb = _number("")
    min_storage_gb = _number("")
    allowed_region_codes = serializers.ListField(
        child=serializers.ChoiceField(sorted(REGION_CODES)),
        required=False,
        help_text="Everywhere if left out.",
    )
    max_node_count = _number("At least 1.", MOST_NODES)
    max_retry_count = _number("", MOST_RETRIES)
    max_timeout_assign_ms = _number("How long to look for a node; at least 300000.", LONGEST_MS)
    max_timeout_start_ms = _number("How long the start may take; at least 120000.", LONGEST_MS)
    max_timeout_run_ms = _number("BATCH needs it, at least 60000; PERSISTENT has none.", LONGEST_MS)

    ports = serializers.ListField(
        child=serializers.IntegerField(), required=False, help_text="With an SSH key, 22 must be among them."
    )
    allowed_ips = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        help_text="Addresses or ranges that may connect.",
    )
    ssh_key = _text("A public key; you sign in as `duser`.", max_length=LONGEST_TEXT)
    env = EnvSerializer(many=True, required=False, max_length=200)

    lifetime_s = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=60,
        max_value=2**31 - 1,
        help_text="A PERSISTENT job is stopped after this time, unless somebody extends it. The team's default if left "
        "out. A BATCH job ends by `max_timeout_run_ms`.",
    )
    idle_limit_s = _seconds(
        "Stopped after so long without use; inside the team's bounds. The team's if left out."
    )
    checkin_every_s = _seconds("How often people are asked where nothing tells whether it is used.")
    uses_logs = serializers.BooleanField(
        default=False,
        help_text="Whether a silent log means that it is idle; only for programs that log their work.",
    )
    log_noise = serializers.ListField(
        child=serializers.CharField(max_length=200),
        required=False,
        max_length=20,
        help_text="Log lines that contain one of these texts are no sign of work.",
    )
    budget_usd = _usd("The most that it may cost in all.")
    rate_cap_usd = _usd(
        "The most that it may cost per hour: above it, it is stopped unless somebody accepts."
    )

    cook_uuid = _text(
        "A recipe of Dispersed (its uuid there) to make the job from: everything in this body is sent as overrides of it. "
        "Fields left out mean what they mean without a recipe; only the recipe's own secrets stay.",
        max_length=128,
    )
    same_again = serializers.BooleanField(
        default=False, help_text="Launch it although you launched exactly this less than a minute ago."
    )

    supersedes = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="A job whose launch never arrived or has no clear answer: this one takes its place, and that one is "
        "stopped if it turns up after all.",
    )

    def validate_env(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = [row["name"] for row in rows]
        if twice := next((name for name, count in Counter(names).items() if count > 1), None):
            raise serializers.ValidationError(f"{twice} is there twice.")
        if marker.ENV_NAME in names:
            raise serializers.ValidationError(
                f"{marker.ENV_NAME} is set by Dispersed Web, to find the job again."
            )
        return rows

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if values["task"] == "BATCH" and values.get("lifetime_s") is not None:
            raise serializers.ValidationError(
                {"lifetime_s": "A BATCH job ends by max_timeout_run_ms; leave lifetime_s out."}
            )
        return values

    def validate_volumes(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if any(row.get("secret") and row.get("team_secret_id") for row in rows):
            raise serializers.ValidationError("Give a secret or team_secret_id, one of them.")
        return rows

    def validate_registry_secret_id(self, secret_id: uuid.UUID | None) -> uuid.UUID | None:
        if secret_id and self.initial_registry_secret():
            raise serializers.ValidationError("Give registry_secret or registry_secret_id, one of them.")
        return secret_id

    def initial_registry_secret(self) -> bool:
        """Whether a value was given too; of a nested body the outer one knows."""
        given = self.root.initial_data
        given = given.get(self.field_name) if self.field_name else given
        return isinstance(given, dict) and bool(given.get("registry_secret"))
