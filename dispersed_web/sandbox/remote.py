"""The control verbs for a sandbox in another process."""

from __future__ import annotations

import inspect
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from .control import Control


class SandboxControl:
    """Has every verb of `Control` with the same arguments, and carries it out over HTTP.

    Raises ValueError with the sandbox's sentence for wrong arguments, OSError when it cannot be reached.
    """

    def __init__(self, url: str, timeout_s: float = 30.0) -> None:
        self._url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        method = None if verb.startswith("_") else getattr(Control, verb, None)
        if method is None:
            raise AttributeError(verb)
        signature = inspect.signature(method)

        def call(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(self, *args, **kwargs).arguments
            bound.pop("self")
            bound |= bound.pop("params", {})
            return self._post(verb, bound)

        return call

    def _post(self, verb: str, arguments: dict[str, Any]) -> Any:
        request = urllib.request.Request(  # noqa: S310 - always the sandbox's own http address
            f"{self._url}/_control/{verb}",
            data=json.dumps(arguments).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return json.load(answer)["result"]
        except urllib.error.HTTPError as error:
            with error:
                detail = json.load(error)["error"]["message"]
            raise ValueError(detail) from None
