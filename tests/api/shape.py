"""Answers held against the OpenAPI document."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from jsonschema import Draft202012Validator, FormatChecker


def check(document: dict[str, Any], method: str, path: str, answer: HttpResponse) -> Any:
    """The answer's body, which the document describes for this operation and status, with no field left undescribed."""
    told = document["paths"][path][method]["responses"][str(answer.status_code)]
    schema = told["content"]["application/json"]["schema"] | {"components": _closed(document["components"])}
    body = answer.json()
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(body)
    return body


def _closed(components: dict[str, Any]) -> dict[str, Any]:
    """The same with no object taking fields that it does not name."""
    schemas = {
        name: schema | ({"additionalProperties": False} if "properties" in schema else {})
        for name, schema in components["schemas"].items()
    }
    return {"schemas": schemas}
