"""What each endpoint does. A view gets the authenticated request and gives (HTTP status, JSON value).

Documented: the endpoints, their methods, bare objects for single resources. Our assumptions: 201 for create
and cook, 404 for whatever the caller's account does not own, 409 for the cancel of a finished job, 200 for a
repeated cancel.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from . import lists, recipes
from .auth import Caller
from .billing import require_funds
from .clock import timed_uuid
from .cloud import Cloud
from .containers import written_lines
from .errors import ApiError
from .faults import CANCEL_KINDS, LIFE_KINDS, Rule
from .images import image_of
from .lifecycle import TERMINAL
from .logs import run_logs
from .objects import job_object, run_object
from .validate import invalid, job_spec

Answer = tuple[int, Any]


@dataclass(frozen=True)
class Request:
    """An authenticated request. `id` is its row in the ledger."""

    id: int
    endpoint: str
    caller: Caller
    query: str
    body: bytes
    parts: dict[str, str]

    def json(self) -> Any:
        """The parsed body; an empty one is None. Raises ApiError 400."""
        if not self.body:
            return None
        try:
            return json.loads(self.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise ApiError(400, "invalid_json", "The body is not valid JSON.")


def _refuse_constant(text: str) -> None:
    raise ValueError(text)


JOB_FILTERS = {
    "uuid": lists.equal("uuid"),
    "status": lists.one_of("status"),
    "task": lists.one_of("task", ("BATCH", "PERSISTENT")),
    "created_at": lists.date_range("created_ms"),
    "cpu_count": lists.number_range("cpu_count"),
    "min_ram_gb": lists.number_range("min_ram_gb"),
    "min_vram_gb": lists.number_range("min_vram_gb"),
    "min_storage_gb": lists.number_range("min_storage_gb"),
}
RUN_FILTERS = {
    "uuid": lists.equal("uuid"),
    "job_uuid": lists.equal("job_uuid"),
    "status": lists.one_of("status"),
    "created_at": lists.date_range("created_ms"),
}


def create_job(cloud: Cloud, request: Request) -> Answer:
    """POST /v1/jobs"""
    return 201, _insert_job(cloud, request, job_spec(request.json()), None, [])


def list_jobs(cloud: Cloud, request: Request) -> Answer:
    """GET /v1/jobs"""
    listing = lists.parse(request.query, JOB_FILTERS)
    account = request.caller.account
    return 200, lists.select(cloud.store, "jobs", account, listing, job_object, cloud.visible_until_ms())


def get_job(cloud: Cloud, request: Request) -> Answer:
    """GET /v1/jobs/{uuid}"""
    return 200, job_object(_own(cloud, request, "jobs", "job"))


def cancel_job(cloud: Cloud, request: Request) -> Answer:
    """PUT /v1/jobs/{uuid}/cancel"""
    body = request.json() or {}
    if not isinstance(body, dict) or not isinstance(body.get("reason", ""), str | None):
        raise invalid("reason must be text.")
    now = cloud.clock.now_ms()
    job = _own(cloud, request, "jobs", "job")
    taken = cloud.faults.take(request.endpoint, CANCEL_KINDS, request.caller.public, job["title"])
    rules = {rule.kind: rule for rule in taken}
    effect = _cancel_effect(job, rules)
    if effect == "taken":
        slow = rules.get("cancel_slow")
        takes_s = slow.get("seconds") if slow else None
        endless = slow is not None and takes_s is None
        reason = body.get("reason") or "Cancelled by user"
        cloud.lifecycle.cancel(job, now, reason, takes_s=takes_s, is_endless=endless)
    cloud.store.insert(
        "cancels",
        job_uuid=job["uuid"],
        key=request.caller.public,
        request_id=request.id,
        received_ms=now,
        reason=body.get("reason"),
        effect=effect,
    )
    return _cancel_answer(cloud, job, effect, rules)


def _cancel_effect(job: sqlite3.Row, rules: dict[str, Rule]) -> str:
    if "cancel_status" in rules:
        return "refused"
    if job["status"] in TERMINAL:
        return "finished"
    if "cancel_dropped" in rules:
        return "dropped"
    return "repeated" if job["status"] == "CANCELLING" else "taken"


def _cancel_answer(cloud: Cloud, job: sqlite3.Row, effect: str, rules: dict[str, Rule]) -> Answer:
    if effect == "refused":
        status = int(rules["cancel_status"].get("status", 409))
        code = {403: "forbidden", 404: "not_found"}.get(status, "conflict")
        return status, ApiError(status, code, "The job cannot be cancelled.").payload()
    if effect == "finished":
        return 409, ApiError(409, "job_already_finished", f"The job is {job['status']}.").payload()
    answer = job_object(cloud.store.by_uuid("jobs", job["uuid"]))
    if effect == "dropped":
        answer["status"] = "CANCELLING"
    return 200, answer


def list_runs(cloud: Cloud, request: Request) -> Answer:
    """GET /v1/job-runs, without logs"""
    listing = lists.parse(request.query, RUN_FILTERS)
    now = cloud.clock.now_ms()

    def build(row: sqlite3.Row) -> dict[str, Any]:
        return run_object(row, _job_of(cloud, row), now)

    account = request.caller.account
    return 200, lists.select(cloud.store, "runs", account, listing, build, cloud.visible_until_ms())


def get_run(cloud: Cloud, request: Request) -> Answer:
    """GET /v1/job-runs/{uuid}, with logs"""
    row, now = _own(cloud, request, "runs", "job run"), cloud.clock.now_ms()
    job = _job_of(cloud, row)
    logs = run_logs(row, json.loads(job["spec"]), now, written_lines(cloud.store, row["uuid"]))
    return 200, {**run_object(row, job, now), "logs": logs}


def list_recipes(cloud: Cloud, request: Request) -> Answer:
    """GET /v1/job-recipes"""
    listing = lists.parse(request.query, {"is_official": lists.noted, "uuid": lists.noted})
    found = [
        recipe
        for recipe in _recipes(cloud, request)
        if listing.given.get("is_official") in (None, str(recipe["is_official"]).lower())
        and listing.given.get("uuid", recipe["uuid"]) == recipe["uuid"]
    ]
    return 200, listing.page_of(found)


def get_recipe(cloud: Cloud, request: Request) -> Answer:
    """GET /v1/job-recipes/{uuid}"""
    return 200, _recipe(cloud, request)


def cook_recipe(cloud: Cloud, request: Request) -> Answer:
    """POST /v1/job-recipes/{uuid}/cook"""
    recipe, overrides = _recipe(cloud, request), request.json() or {}
    if recipe["visibility"] == "ARCHIVED":
        raise ApiError(400, "recipe_archived", "The job recipe is archived.")
    spec = job_spec(recipes.cooked_body(recipe, overrides))
    life = [{"kind": "empty_node_urls"}] if recipes.is_unreachable(overrides) else []
    return 201, _insert_job(cloud, request, spec, recipe["uuid"], life)


def _insert_job(
    cloud: Cloud, request: Request, spec: dict[str, Any], recipe_uuid: str | None, life: list[dict[str, Any]]
) -> dict[str, Any]:
    require_funds(cloud.store, request.caller.account)
    now = cloud.clock.now_ms()
    for rule in cloud.faults.take(request.endpoint, LIFE_KINDS, request.caller.public, spec["title"]):
        runs = rule.get("runs", 1 if rule.kind == "run_lost" else None)
        life.append({**rule.params, "kind": rule.kind, "runs": runs})
    uuid = timed_uuid(now)
    columns = ("task", "title", "cpu_count", "min_ram_gb", "min_vram_gb", "min_storage_gb")
    cloud.store.insert(
        "jobs",
        uuid=uuid,
        account=request.caller.account,
        key=request.caller.public,
        request_id=request.id,
        recipe_uuid=recipe_uuid,
        status="PENDING",
        created_ms=now,
        updated_ms=now,
        spec=json.dumps(spec),
        image_size_bytes=image_of(spec).size_bytes,
        life=json.dumps(life),
        **{name: spec[name] for name in columns},
    )
    cloud.store.note(uuid, None, now, "PENDING", "")
    stuck = any(entry["kind"] == "stuck_pending" for entry in life)
    cloud.lifecycle.schedule_new(uuid, now, stuck, spec["max_timeout_assign_ms"])
    return job_object(cloud.store.by_uuid("jobs", uuid))


def _recipes(cloud: Cloud, request: Request) -> tuple[dict[str, Any], ...]:
    row = cloud.store.row("SELECT name FROM accounts WHERE uuid = ?", request.caller.account)
    return recipes.visible_to(row["name"] if row else "")


def _recipe(cloud: Cloud, request: Request) -> dict[str, Any]:
    wanted = request.parts["uuid"]
    found = next((recipe for recipe in _recipes(cloud, request) if recipe["uuid"] == wanted), None)
    if found is None:
        raise ApiError(404, "not_found", "The job recipe does not exist.")
    return found


def _own(cloud: Cloud, request: Request, table: str, noun: str) -> sqlite3.Row:
    row = cloud.store.row(
        f"SELECT * FROM {table} WHERE uuid = ? AND account = ?",  # noqa: S608
        request.parts["uuid"],
        request.caller.account,
    )
    if row is None:
        raise ApiError(404, "not_found", f"The {noun} does not exist.")
    return row


def _job_of(cloud: Cloud, run: sqlite3.Row) -> sqlite3.Row:
    return cloud.store.by_uuid("jobs", run["job_uuid"])
