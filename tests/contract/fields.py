"""The fields of the cloud's objects, and where each is known from.

``documented`` is Dispersed's own documentation, ``seen`` what clients met in the field, ``invented`` what the sandbox
adds because the real field is not known. A field of the real service that is in none of them is news: see
docs/real-service.md.
"""

from __future__ import annotations

from dataclasses import dataclass

SAME_ON_ALL = "object uuid created_at updated_at"


@dataclass(frozen=True)
class Fields:
    """``always`` is the part that every answer must have, because the client does not work without it."""

    always: frozenset[str]
    documented: frozenset[str]
    seen: frozenset[str] = frozenset()
    invented: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        return self.always | self.documented | self.seen | self.invented


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_JOB_BODY = (
    "title task description parameters cpu_count gpu_count gpu_name gpu_registry_uuid min_vram_gb min_ram_gb "
    "min_storage_gb max_timeout_assign_ms max_timeout_start_ms max_timeout_run_ms max_node_count max_retry_count"
)
JOB = Fields(
    _names("uuid status task title"),
    _names(
        f"{SAME_ON_ALL} {_JOB_BODY} started_at completed_at status_reason timeout_assign_at_ms image_size_bytes "
        "container_access_tokens source_recipe_uuid allowed_region_codes"
    ),
)
RUN = Fields(
    _names("uuid status job_uuid"),
    _names(f"{SAME_ON_ALL} started_at_ms ended_at_ms duration_ms node_urls logs"),
    _names("job_snapshot hourly_rate_usd container_access_tokens"),
    _names("status_reason"),
)
NODE_URL = Fields(_names("description hostname port"), _names("protocol tls"))
RECIPE = Fields(
    _names("uuid name"),
    _names(
        f"{SAME_ON_ALL} last_used_at description visibility is_official is_owner forked_from_recipe_uuid thumbnail_url "
        "quickstart_md payload input_schema"
    ),
)
GPU = Fields(_names("uuid name"), _names(SAME_ON_ALL), invented=_names("vram_gb available_nodes"))
OFFER = Fields(_names("offer_id pricing hardware_summary"), _names("region_code availability"))
PRICING = Fields(_names("hourly_rate_usd"), _names("quoted_at"))
HARDWARE = Fields(
    frozenset(),
    _names(
        "cpu_cores gpu_count gpu_model_label gpu_models gpu_registry_uuid min_gpu_vram_gib ram_gib storage_gib"
    ),
)
TRANSACTION = Fields(
    _names("uuid amount_usd"),
    _names(
        f"{SAME_ON_ALL} type job_run_uuid authorization_uuid consumer_profile_uuid consumer_account_uuid render_user_id "
        "render_credit_id memo"
    ),
)
AUTHORIZATION = Fields(
    _names("uuid amount_usd"),
    _names(
        f"{SAME_ON_ALL} approved status status_reason opened_at expires_at closed_at job_run_uuid consumer_account_uuid "
        "consumer_profile_uuid render_user_id"
    ),
)
USER = Fields(_names("uuid"), frozenset(), _names("email"), _names("object created_at updated_at"))
BALANCE = Fields(_names("available_balance"), frozenset(), _names("currency"))
ENVELOPE = Fields(_names("data limit page total"), frozenset())
