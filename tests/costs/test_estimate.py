from __future__ import annotations

import datetime as dt
from decimal import Decimal

from dispersed_web.costs.estimate import Meter, cents, price

T0 = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


def test_a_running_meter_adds_up() -> None:
    meter = Meter(Decimal("1.00"), T0, Decimal("0.69"))
    assert meter.read(T0 + dt.timedelta(hours=2)) == Decimal("2.38")


def test_clocks_that_differ_never_give_money_back() -> None:
    assert Meter(Decimal(1), T0, Decimal("0.69")).read(T0 - dt.timedelta(hours=1)) == Decimal(1)


def test_without_a_price_nothing_is_claimed() -> None:
    assert Meter(Decimal(0), None, None).read(T0) is None


def test_a_stopped_meter_stays() -> None:
    assert Meter(Decimal("3.10"), None, Decimal("0.69")).read(T0) == Decimal("3.10")


def test_the_clouds_own_example() -> None:
    """Three nodes at $0.69/h for 389 s cost $0.22 (seen in the field)."""
    assert cents(price(Decimal("0.69"), dt.timedelta(seconds=389)) * 3) == Decimal("0.22")
