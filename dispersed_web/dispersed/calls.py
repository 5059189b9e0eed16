"""What all calls of the API have in common: reading one object or one page, and making a job once."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from . import parse
from .errors import BadReply
from .exchange import Exchange
from .filters import Pairs
from .models import Job
from .outcomes import AuthShapes
from .page import Page
from .parse import JsonObject
from .replies import created_uuid, read_resource
from .sending import encode_body, secret_values
from .transport import Reply

NEWEST_FIRST = "-created_at"
MAX_LIMIT = 50
CREATE_DEADLINE_S = 75.0
_T = TypeVar("_T")


class Calls:
    """Calls over one exchange. Each try of a read or a cancel may take `deadline_s`."""

    def __init__(self, exchange: Exchange, *, deadline_s: float) -> None:
        self._exchange = exchange
        self._deadline_s = deadline_s

    def _get(self, path: str, pairs: Pairs = ()) -> Reply:
        return self._exchange.repeated("GET", path, pairs, deadline_s=self._deadline_s)

    def _page(
        self, path: str, pairs: Pairs, read_item: Callable[[JsonObject], _T], page: int, limit: int
    ) -> Page[_T]:
        reply = self._get(path, pairs)
        return Page.from_json(parse.load_json(reply.body), read_item, page=page, limit=limit)

    def _make(
        self,
        path: str,
        body: Mapping[str, object],
        time_ms: int,
        nonce: str,
        auth_shapes: AuthShapes,
        deadline_s: float,
    ) -> Job:
        reply = self._exchange.create(
            path,
            encode_body(body),
            time_ms=time_ms,
            nonce=nonce,
            auth_shapes=auth_shapes,
            deadline_s=deadline_s,
            secrets=secret_values(body),
        )
        try:
            return Job.from_json(read_resource(reply, "job"))
        except BadReply:  # it was made, and that is what counts: the rest will be seen in the next listing
            return Job(uuid=created_uuid(reply), status="")


def resource_path(collection: str, uuid: str) -> str:
    """The path of one resource. Raises ValueError when the identifier cannot stand in a path."""
    if not parse.is_opaque_id(uuid):
        raise ValueError(f"not an identifier: {uuid[:80]!r}")
    return f"{collection}/{uuid}"


def boolean_text(value: bool | None) -> str | None:
    """A filter's "true" or "false"."""
    return None if value is None else str(value).lower()
