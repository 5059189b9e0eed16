"""Nobody writes a line into the logs that is not theirs."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest

from dispersed_web.credentials.masking import MaskSecrets
from dispersed_web.events import context
from dispersed_web.events.context import RequestFacts
from dispersed_web.log_lines import JsonFormatter, LineFormatter

FORGED = "Dev box\r\n12:00:00 INFO dispersed_web.teams Ana is an owner\x1b[2J\x9b31m\u2028x\u202etxt.exe\x00"


def written(formatter: logging.Formatter, message: str, *values: Any, error: str = "") -> str:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    handler.addFilter(MaskSecrets())
    logger = logging.Logger("dispersed_web.jobs")
    logger.addHandler(handler)
    with context.within(RequestFacts(request_id="r-12345678")):
        try:
            if error:
                raise ValueError(error)
        except ValueError:
            logger.exception(message, *values)
        else:
            logger.warning(message, *values)
    return out.getvalue()


def test_text_of_others_stays_on_its_line() -> None:
    text = written(LineFormatter(), "The job “%s” is refused.", FORGED)
    assert text.count("\n") == 1
    assert r"Dev box\r\n12:00:00 INFO" in text
    assert not [one for one in text[:-1] if not one.isprintable()]
    assert text.endswith("is refused. (request r-12345678)\n")


def test_a_traceback_is_indented_so_that_none_of_it_looks_like_an_entry() -> None:
    first, *rest = written(LineFormatter(), "It failed.", error=FORGED).splitlines()
    assert first.endswith("ERROR dispersed_web.jobs It failed. (request r-12345678)")
    assert len(rest) >= 3
    assert all(line.startswith("  | ") for line in rest)
    assert not [one for line in rest for one in line if not one.isprintable()]


@pytest.mark.parametrize("formatter", [LineFormatter(), JsonFormatter()])
def test_secrets_are_masked_in_both(formatter: logging.Formatter) -> None:
    text = written(formatter, "Asked with %s", "sk_live_canary123456", error="hf_canary1234567890")
    assert "canary" not in text
    assert "••••" in text or "\\u2022" in text


def test_json_is_one_object_a_line() -> None:
    line = written(JsonFormatter(), "The job “%s” is refused.", FORGED, error="x\ny")
    assert line.count("\n") == 1
    found = json.loads(line)
    assert found["message"] == f"The job “{FORGED}” is refused."
    assert (found["level"], found["logger"], found["request"]) == (
        "ERROR",
        "dispersed_web.jobs",
        "r-12345678",
    )
    assert "ValueError: x\ny" in found["traceback"]


def test_outside_of_a_request_no_request_is_named() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "Swept.", (), None)
    assert LineFormatter().format(record).endswith("INFO x Swept.")
    assert "request" not in json.loads(JsonFormatter().format(record))
