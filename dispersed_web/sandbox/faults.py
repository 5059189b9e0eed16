"""Fault rules: what shall go wrong, where, how often.

A rule names an endpoint ("POST /v1/jobs", "PUT /v1/jobs/{uuid}/cancel", "*"), a kind and parameters, and
fires `times` times, or with a seeded `probability`, or until it is cleared. Rules live with the process, not
with the ledger.

Kinds that act on one exchange, with their parameters (`at` is "arrival": before the request's body is read,
"before": authenticated but without effect, or "after": the effect has taken place):

* `stall` seconds, at
* `drop` at (also "middle" of the response, with part "body" or "status_line"), reset=True for a TCP reset
* `status` status, at, code, message, body ("json", "html", "empty"), headers
* `redirect` location, status
* `bad_json`, `html_body`, `no_uuid`, `huge_body` bytes, `drip` seconds (for each chunk), chunk
* `void_page` (with the true total), `empty_list` (with total 0), `bare_list`
* `numbers_as_text`, `dates_without_time`, `unknown_fields`, `unknown_status` status
* `tokens_on_job` (runs show none, as the documentation reads), `tokens_as_text` (not as objects)

Kinds that act on the life of a job, bound when it is created or cooked. `runs` limits them to the first n
runs, `title` (here and for cancels) to jobs whose title contains it:

* `stuck_pending`, `stuck_preparing`, `image_not_found`, `empty_node_urls`, `six_gpu_node`
* `exit_at_once` exit_code
* `run_lost` after_s, phase ("PREPARING" or "RUNNING"): the run is FAILED and retried as a new run, free of charge
* `node_death` after_s, lag_s: the node is gone, the status stays RUNNING for lag_s

Kinds that act on a cancel: `cancel_dropped` (answers CANCELLING, does nothing), `cancel_slow` seconds (None =
for ever), `cancel_status` status (404, 409, 403 …).

Of these, stalls, posts that time out after their effect, stuck preparations, empty addresses, lost and
six-GPU nodes and slow cancels were seen in the field; the others follow from how HTTP breaks or guard against
the unknown.
"""

from __future__ import annotations

import itertools
import random
import threading
from dataclasses import asdict, dataclass, field
from typing import Any

EXCHANGE_KINDS = frozenset({
    "stall", "drop", "status", "redirect", "bad_json", "html_body", "no_uuid", "huge_body", "drip", "void_page",
    "empty_list", "bare_list", "numbers_as_text", "dates_without_time", "unknown_fields", "unknown_status",
    "tokens_on_job", "tokens_as_text",
})  # fmt: skip
LIFE_KINDS = frozenset({
    "stuck_pending", "stuck_preparing", "image_not_found", "empty_node_urls", "six_gpu_node", "exit_at_once",
    "run_lost", "node_death",
})  # fmt: skip
CANCEL_KINDS = frozenset({"cancel_dropped", "cancel_slow", "cancel_status"})
KINDS = EXCHANGE_KINDS | LIFE_KINDS | CANCEL_KINDS


@dataclass
class Rule:
    """One fault rule; `fired` counts how often it acted. `key` limits it to requests with that public key."""

    id: int
    endpoint: str
    kind: str
    times: int | None = None
    probability: float | None = None
    key: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    fired: int = 0

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter."""
        return self.params.get(name, default)


class Faults:
    """The list of rules."""

    def __init__(self, seed: int) -> None:
        self._rules: list[Rule] = []
        self._ids = itertools.count(1)
        self._random = random.Random(seed)  # noqa: S311
        self._lock = threading.Lock()

    def add(
        self,
        endpoint: str,
        kind: str,
        *,
        times: int | None = None,
        probability: float | None = None,
        key: str | None = None,
        **params: Any,
    ) -> int:
        """Add a rule; gives its id. Raises ValueError for an unknown kind."""
        if kind not in KINDS:
            raise ValueError(f"unknown fault kind {kind!r}; known: {', '.join(sorted(KINDS))}")
        with self._lock:
            rule = Rule(next(self._ids), endpoint, kind, times, probability, key, params)
            self._rules.append(rule)
            return rule.id

    def clear(self, rule_id: int | None = None) -> None:
        """Remove one rule, or all."""
        with self._lock:
            self._rules = [rule for rule in self._rules if rule_id is not None and rule.id != rule_id]

    def rules(self) -> list[dict[str, Any]]:
        """All rules, also those that are used up, as plain values."""
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def take(self, endpoint: str, kinds: frozenset[str], key: str | None, title: str = "") -> list[Rule]:
        """The rules of these kinds that fire now for this endpoint; counts them as fired."""
        with self._lock:
            candidates = [
                rule for rule in self._rules if rule.kind in kinds and rule.get("title", "") in title
            ]
            firing = [rule for rule in candidates if self._fires(rule, endpoint, key)]
            for rule in firing:
                rule.fired += 1
            return firing

    def _fires(self, rule: Rule, endpoint: str, key: str | None) -> bool:
        if rule.endpoint not in ("*", endpoint) or (rule.key is not None and rule.key != key):
            return False
        if rule.times is not None and rule.fired >= rule.times:
            return False
        return rule.probability is None or self._random.random() < rule.probability
