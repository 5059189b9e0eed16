"""Who may use what the team stored, and who may manage it."""

from __future__ import annotations

import pytest

from dispersed_web.credentials.use import may_manage, may_use

ME, OTHER = 1, 2


@pytest.mark.parametrize(
    ("role", "usable_by", "chosen", "expected"),
    [
        ("owner", "members", (), True),
        ("member", "members", (), True),
        ("viewer", "members", (), False),
        (None, "members", (), False),
        ("owner", "admins", (), True),
        ("admin", "admins", (), True),
        ("member", "admins", (ME,), False),
        ("member", "chosen", (ME,), True),
        ("member", "chosen", (OTHER,), False),
        ("owner", "chosen", (OTHER,), False),
        ("viewer", "chosen", (ME,), False),
        (None, "chosen", (ME,), False),
        ("owner", "nobody", (ME,), False),
    ],
)
def test_who_may_use(role: str | None, usable_by: str, chosen: tuple[int, ...], expected: bool) -> None:
    assert may_use(role, ME, usable_by, chosen) is expected


def test_nobody_is_no_chosen_person() -> None:
    assert not may_use("owner", None, "chosen", ())


@pytest.mark.parametrize(
    ("role", "managed_by", "expected"),
    [
        ("owner", "owners", True),
        ("admin", "owners", False),
        ("admin", "admins", True),
        ("member", "admins", False),
        (None, "admins", False),
    ],
)
def test_who_may_manage(role: str | None, managed_by: str, expected: bool) -> None:
    assert may_manage(role, managed_by) is expected
