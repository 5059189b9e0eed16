"""Faults that change an answer: its JSON value, its bytes, or how the bytes travel."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .faults import Rule

TOKENS = "container_access_tokens"
HTML = b"<!doctype html><html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


@dataclass
class Wire:
    """An answer ready to be sent.

    `cut` sends only a part of it; `drip` is (bytes a chunk, seconds between).
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: str | None = None
    drip: tuple[int, float] | None = None
    reset: bool = False


def json_wire(status: int, value: Any) -> Wire:
    """A JSON answer; None gives an empty body."""
    body = b"" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Wire(status, body, {"Content-Type": "application/json"})


def status_wire(rule: Rule) -> Wire:
    """The answer of a `status` or `redirect` rule."""
    if rule.kind == "redirect":
        location = str(rule.get("location", "http://127.0.0.1:9/"))
        return Wire(int(rule.get("status", 307)), b"", {"Location": location})
    status, kind = int(rule.get("status", 503)), rule.get("body", "json")
    value = {
        "error": {"code": rule.get("code", "simulated"), "message": rule.get("message", "A simulated fault.")}
    }
    wire = json_wire(status, value if kind == "json" else None)
    if kind == "html":
        wire = Wire(status, HTML, {"Content-Type": "text/html"})
    wire.headers |= {str(name): str(text) for name, text in rule.get("headers", {}).items()}
    return wire


def mangle_value(value: Any, rules: list[Rule]) -> Any:
    """The JSON value of a successful answer after all rules that change values."""
    for rule in rules:
        change = _VALUE_CHANGES.get(rule.kind)
        if change is not None:
            value = change(value, rule)
    return value


def mangle_wire(wire: Wire, rules: list[Rule]) -> Wire:
    """The bytes of an answer after all rules that change bytes or their travel."""
    for rule in rules:
        if rule.kind == "bad_json":
            wire.body = wire.body[: max(1, len(wire.body) * 2 // 3)] + b"\x00{"
        elif rule.kind == "html_body":
            wire.body, wire.headers["Content-Type"] = HTML, "text/html"
        elif rule.kind == "huge_body":
            wire.body = b" " * int(rule.get("bytes", 10_000_000)) + wire.body
        elif rule.kind == "drip":
            wire.drip = (int(rule.get("chunk", 1)), float(rule.get("seconds", 1.0)))
        elif rule.kind == "drop" and rule.get("at") == "middle":
            wire.cut, wire.reset = str(rule.get("part", "body")), bool(rule.get("reset"))
    return wire


def _each_object(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        return {**value, "data": [change(item) for item in value["data"]]}
    if isinstance(value, list):
        return [change(item) for item in value]
    return change(value) if isinstance(value, dict) else value


def _unknown_fields(value: Any, rule: Rule) -> Any:
    extra = {"x_future_field": {"nested": [1, None, "text"]}, "zz_flag": True}
    return _each_object(value, lambda item: {**item, **extra})


def _unknown_status(value: Any, rule: Rule) -> Any:
    status = rule.get("status", "HIBERNATING")
    return _each_object(value, lambda item: {**item, "status": status} if "status" in item else item)


def _numbers_as_text(value: Any, rule: Rule | None = None) -> Any:
    if isinstance(value, dict):
        return {name: _numbers_as_text(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_numbers_as_text(item) for item in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


def _dates_without_time(value: Any, rule: Rule | None = None) -> Any:
    if isinstance(value, list):
        return [_dates_without_time(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: item[:10] if name.endswith("_at") and isinstance(item, str) else _dates_without_time(item)
        for name, item in value.items()
    }


def _bare_list(value: Any, rule: Rule) -> Any:
    return value["data"] if isinstance(value, dict) and "data" in value else value


def _void_page(value: Any, rule: Rule) -> Any:
    return {**value, "data": []} if isinstance(value, dict) and "data" in value else value


def _empty_list(value: Any, rule: Rule) -> Any:
    return {**value, "data": [], "total": 0} if isinstance(value, dict) and "data" in value else value


def _no_uuid(value: Any, rule: Rule) -> Any:
    return _each_object(value, lambda item: {name: part for name, part in item.items() if name != "uuid"})


def _tokens_on_job(value: Any, rule: Rule) -> Any:
    return _each_object(value, lambda item: {**item, TOKENS: []} if "job_uuid" in item else item)


def _tokens_as_text(value: Any, rule: Rule) -> Any:
    def change(item: dict[str, Any]) -> dict[str, Any]:
        return {**item, TOKENS: [one["token"] for one in item[TOKENS]]} if item.get(TOKENS) else item

    return _each_object(value, change)


_VALUE_CHANGES: dict[str, Callable[[Any, Rule], Any]] = {
    "unknown_fields": _unknown_fields,
    "unknown_status": _unknown_status,
    "numbers_as_text": _numbers_as_text,
    "dates_without_time": _dates_without_time,
    "void_page": _void_page,
    "empty_list": _empty_list,
    "no_uuid": _no_uuid,
    "bare_list": _bare_list,
    "tokens_on_job": _tokens_on_job,
    "tokens_as_text": _tokens_as_text,
}
