"""Whatever comes out of the product, kept for the search."""

from __future__ import annotations

import contextlib
import html
import io
import logging
from collections.abc import Iterator
from typing import Any

from django.core import mail
from django.core.management import call_command
from django.test import Client

from dispersed_web.credentials.masking import MaskSecrets
from dispersed_web.log_lines import JsonFormatter, LineFormatter
from tests.canaries.searching import Needles, stored


class Recorder:
    """Pieces of text, each with a word for where it came out, and the log lines of both formats."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, str]] = []
        self.logs = {"log lines": io.StringIO(), "log in JSON": io.StringIO()}
        self.allowed: tuple[str, ...] = ()

    def allow(self, *secrets: str) -> None:
        """From here on answers may hold these: a form that is sent back keeps, as dots, what its author just typed."""
        self.allowed = secrets

    def note(self, where: str, text: str) -> None:
        self.pieces.append((where, text))

    def answer(self, response: Any) -> Any:
        body = b"".join(response.streaming_content) if response.streaming else response.content
        where = f"{response.request['REQUEST_METHOD']} {response.request['PATH_INFO']} {response.status_code}"
        text = f"{response.headers}\n{response.cookies}\n{body.decode()}"
        for secret in self.allowed:
            text = text.replace(f'value="{html.escape(secret)}"', "")
        self.note(where, text)
        return response

    def shown_once(self) -> None:
        """The last answer shows, this once, what was just made: it is not kept."""
        self.pieces.pop()

    def command(self, *arguments: str) -> str:
        """Runs ``manage.py`` with these arguments; what it wrote."""
        out = io.StringIO()
        with contextlib.suppress(Exception):
            call_command(*arguments, stdout=out, stderr=out)
        self.note(f"manage.py {arguments[0]}", out.getvalue())
        return out.getvalue()

    def everything(self, *, mails: bool = True) -> Iterator[tuple[str, str]]:
        yield from self.pieces
        yield from ((name, stream.getvalue()) for name, stream in self.logs.items())
        yield from stored()
        if mails:
            for one in mail.outbox:
                yield "mail", "\n".join([one.subject, str(one.body), str(one.message())])

    def leaks(self, needles: Needles, *, mails: bool = True) -> list[str]:
        return needles.find(self.everything(mails=mails))


class RecordingClient(Client):
    """A browser whose every answer is kept, pages of what broke as well."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(raise_request_exception=False)
        self.recorder = recorder

    def request(self, **request: Any) -> Any:
        return self.recorder.answer(super().request(**request))


@contextlib.contextmanager
def listening(recorder: Recorder) -> Iterator[None]:
    """All log lines, down to what is said for debugging, as the product writes them."""
    root = logging.getLogger()
    before = root.level
    handlers = []
    for formatter, stream in zip((LineFormatter(), JsonFormatter()), recorder.logs.values(), strict=True):
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        handler.addFilter(MaskSecrets())
        handlers.append(handler)
        root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(before)
        for handler in handlers:
            root.removeHandler(handler)
