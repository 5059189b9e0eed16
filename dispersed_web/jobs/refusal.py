"""Why a launch may not go out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """Why not. ``waits`` says that the obstacle may pass by itself, so a queued launch is kept until its ``send_by``;
    ``field`` is the part of the specification at fault, empty when it is none."""

    code: str
    sentence: str
    waits: bool = False
    field: str = ""
