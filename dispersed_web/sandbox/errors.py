"""The one way in which the simulated service refuses a request."""

from __future__ import annotations


class ApiError(Exception):
    """An answer `{"error": {"code", "message"}}` with an HTTP status.

    The vendor's documentation shows an `error` object with a `code`; the message beside it and all code names
    are our assumption.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    def payload(self) -> dict[str, object]:
        """The JSON body of the answer."""
        return {"error": {"code": self.code, "message": self.message}}
