"""A data image mounted into a job's container: an entry of `volumes` of the create call.

The documentation names its six fields and says no more; by their names an image of a registry appears at a path.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .keys import MASK, Secret

TEXTS = ("image", "tag", "registry", "user", "mount")


@dataclass(frozen=True, repr=False)
class Volume:
    """`image` without its tag, mounted at the absolute path `mount`. `registry`, `user` and `secret` are for a
    private image; the last two reach other people's machines and are not shown in the repr.
    """

    image: str
    mount: str
    tag: str = ""
    registry: str = ""
    user: str = ""
    secret: Secret | None = None

    def to_body(self) -> dict[str, str]:
        """The entry as it is sent: what is empty is left out."""
        whole = {**self.to_plain(), "secret": self.secret.reveal() if self.secret else ""}
        return {name: value for name, value in whole.items() if value}

    def to_plain(self) -> dict[str, str]:
        """Its texts, empty ones too, without the secret."""
        return {name: getattr(self, name) for name in TEXTS}

    @classmethod
    def from_plain(cls, data: Mapping[str, Any], secret: Secret | None = None) -> "Volume":
        """The volume of these texts; what is missing is empty, what is not known is left out."""
        return cls(**{name: str(data.get(name) or "") for name in TEXTS}, secret=secret)

    def __repr__(self) -> str:
        shown: dict[str, object] = {
            **self.to_plain(),
            "user": MASK if self.user else "",
            "secret": self.secret,
        }
        return f"Volume({', '.join(f'{name}={value!r}' for name, value in shown.items() if value)})"
