"""Reading bodies: JSON only. Django bounds their size, and the framework reads them through it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class DiscreetJSONParser(JSONParser):
    """Refuses a broken body without quoting it, because it may hold a secret."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except ParseError:
            raise ParseError("The body is not valid JSON.") from None
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
