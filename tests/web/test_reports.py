"""Debug pages and log lines: what breaks is said, what was in it is not."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from django.views.debug import technical_500_response

from dispersed_web import tasks
from dispersed_web.credentials.masking import MaskSecrets

ROOT = Path(__file__).parent.parent.parent
# Put together here, because a report quotes lines of code.
CANARY = "_".join(("sk", "live", "canary0123456789"))
PLAIN = "-".join(("plain", "canary", "0123456789"))


def debug_page(request: HttpRequest) -> str:
    def sign(secret_text: str) -> None:
        values = {"inner": secret_text}
        raise RuntimeError(f"broke with {CANARY} {len(values)}")

    try:
        sign(PLAIN)
    except RuntimeError:
        return technical_500_response(request, *sys.exc_info()).content.decode()
    raise AssertionError


def test_a_debug_page_shows_lines_and_no_values(settings: Any) -> None:
    settings.DEBUG = True
    settings.CELERY_BROKER_URL = settings.REDIS_URL = f"redis://user:{PLAIN}@host/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": settings.REDIS_URL}}
    meta = {"DW_DATABASE_URL": f"postgresql://dw:{PLAIN}@db/dw", "HTTP_AUTHORIZATION": f"Bearer {PLAIN}"}
    for accept in ("text/html", "text/plain"):
        request = RequestFactory().post("/", {"password": PLAIN, "note": PLAIN}, **meta, HTTP_ACCEPT=accept)
        page = debug_page(request)
        assert "RuntimeError" in page
        assert PLAIN not in page
        assert CANARY not in page


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs it as an installation of its own would."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("DW_")}
    own = {
        "DW_SECRET_KEY": "s" * 50,
        "DW_KEYS": os.environ["DW_KEYS"],
        "DW_INSTALLATION_ID": "tests",
        "DJANGO_SETTINGS_MODULE": "dispersed_web.settings",
    }
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=outside | own | environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("url", "starts"), [("https://api.dispersed.com", False), ("http://127.0.0.1:9", True)]
)
def test_debug_pages_are_for_simulated_clouds_alone(url: str, starts: bool) -> None:
    done = python("import dispersed_web.settings", DW_DEBUG="1", DW_DISPERSED_URL=url)
    assert (done.returncode == 0) is starts, done.stderr
    assert starts or "DW_DEBUG" in done.stderr


def test_no_record_of_the_framework_goes_round_the_mask() -> None:
    """Django has handlers of its own, which know nothing of secrets."""
    look = "import django, logging; django.setup(); " + "; ".join(
        f"one = logging.getLogger({name!r}); assert one.propagate and not one.handlers, one.handlers"
        for name in ("django", "django.request", "django.server")
    )
    done = python(look, DW_DEBUG="1", DW_DISPERSED_URL="http://127.0.0.1:9")
    assert done.returncode == 0, done.stderr


def test_a_traceback_that_another_handler_wrote_out_is_masked_all_the_same() -> None:
    stream = io.StringIO()
    masked = logging.StreamHandler(stream)
    masked.addFilter(MaskSecrets())
    logger = logging.Logger("two handlers", logging.INFO)
    logger.addHandler(logging.StreamHandler(io.StringIO()))
    logger.addHandler(masked)
    try:
        raise RuntimeError(CANARY)
    except RuntimeError:
        logger.exception("broke")
    assert "RuntimeError" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_a_record_that_cannot_be_formatted_breaks_nothing() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(MaskSecrets())
    logger = logging.Logger("odd", logging.INFO)
    logger.addHandler(handler)
    logger.info("%d", CANARY)
    assert CANARY not in stream.getvalue()


def test_a_failed_task_is_logged_without_what_looks_like_a_secret_and_without_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Workers write what broke as the web does: through the same filter, and no local variables."""

    def broken(*args: object) -> None:
        held = {"password": PLAIN}
        raise RuntimeError(f"broke with {CANARY} {len(held)}")

    monkeypatch.setattr(tasks.installation, "may_act", lambda: True)
    monkeypatch.setattr(tasks.sending, "send", broken)
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(MaskSecrets())
    logging.getLogger().addHandler(handler)
    try:
        result = tasks.send_launch.apply(args=["6f1e3f6e-3a53-4c6a-a2a4-6d4f6a1a0c55"])
    finally:
        logging.getLogger().removeHandler(handler)
    assert result.failed()
    assert "RuntimeError" in out.getvalue()
    assert PLAIN not in out.getvalue()
    assert CANARY not in out.getvalue()
