"""Names of the launch form's fields: which of them the live parts are asked with, where a fault is shown."""

from __future__ import annotations

from dispersed_web.dispersed import BATCH, PERSISTENT
from dispersed_web.web.forms.stop_choices import OF_MONEY, OF_USE

SHORTEST_LIFETIME_S = 60
# What the other task does not have is neither read nor found fault with.
FOREIGN = {BATCH: ["lifetime", *OF_USE], PERSISTENT: ["max_timeout_run"]}
# What the estimate and the list of GPUs are asked with, in an address: nothing that could be a secret.
OF_THE_MARKET = {"credential", "gpu_count", "allowed_region_codes", "min_vram_gb"}
PREVIEWED = OF_THE_MARKET | {
    "task",
    "image",
    "tag",
    "registry_host",
    "image_source",
    "gpu_name",
    "max_node_count",
    "max_retry_count",
    "max_timeout_assign",
    "max_timeout_start",
    "max_timeout_run",
    "lifetime",
    "copies",
    "idle_limit",
    "checkin_every",
    "uses_logs",
    *OF_MONEY,
    "ports",
    "reach",
    "allowed_ips",
}
MARKET_TOO = "market"
# Where the fault of a specification is shown, if the field is called otherwise.
PLACES = {
    "gpu_registry_uuid": "gpu",
    "max_timeout_assign_ms": "max_timeout_assign",
    "max_timeout_start_ms": "max_timeout_start",
    "max_timeout_run_ms": "max_timeout_run",
    "lifetime_s": "lifetime",
    "supersedes": "supersedes_sure",
}
CREDENTIAL_CODES = {
    "credential_disabled",
    "credential_broken",
    "cannot_stop",
    "cannot_see",
    "clock_off",
    "key_expires",
    "credential_not_for_you",
    "credential_retired",
    "cap_jobs",
    "cap_hourly",
    "cap_spent",
}
