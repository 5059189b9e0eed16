"""What is sent to make or cancel a job: its bytes, and which of its values must never be quoted back."""

from collections.abc import Iterator, Mapping

from .errors import DispersedError
from .outcomes import Outcome
from .signing import canonical_body

# Container settings whose text is harmless; the text of all others may be secret.
_PUBLIC_SETTINGS = frozenset({"image", "tag", "host", "registry", "mount", "allowed_ips"})


def encode_body(body: Mapping[str, object]) -> bytes:
    """The canonical bytes of a body. Raises DispersedError with outcome NOT_SENT when it has none."""
    try:
        return canonical_body(body)
    except (TypeError, ValueError) as exc:
        reason = str(exc)
    raise DispersedError(
        f"The request could not be written as JSON: {reason}.", code="not_sendable", outcome=Outcome.NOT_SENT
    )


def secret_values(body: Mapping[str, object]) -> tuple[str, ...]:
    """Every text among the container settings of a create body that might be secret, environment values
    included.
    """
    outer = body.get("parameters")
    inner = outer.get("parameters") if isinstance(outer, Mapping) else None
    return tuple(_texts(inner)) if isinstance(inner, Mapping) else ()


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in _PUBLIC_SETTINGS:
                yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
