"""Reading bodies: JSON only, not larger than Django allows for any other body."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from dispersed_web.api.errors import Refused


class BoundedJSONParser(JSONParser):
    """The framework's own parser reads a stream past ``DATA_UPLOAD_MAX_MEMORY_SIZE``, however long it is."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        longest = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        data = stream.read(longest + 1)
        if len(data) > longest:
            raise Refused(413, "too_large", f"The body is larger than {longest // 1024} KiB.")
        try:
            return super().parse(io.BytesIO(data), media_type, parser_context)
        except ParseError:
            # The parser's own words quote the body, which may hold a secret.
            raise ParseError("The body is not valid JSON.") from None
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
