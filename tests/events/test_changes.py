"""What an event says of a change: tracked fields before and after, of secrets only that they changed."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from dispersed_web.events.changes import changes, plain, snapshot
from dispersed_web.events.fields import FIELDS
from tests import factories


def test_tracked_fields_stand_before_and_after_and_others_do_not() -> None:
    before = {"name": "Lab", "max_hourly_usd": None, "version": 1, "slug": "lab"}
    after = {"name": "Vision", "max_hourly_usd": Decimal("5.00"), "version": 2, "slug": "lab"}
    assert changes("teams.Team", before, after) == {
        "before": {"name": "Lab", "max_hourly_usd": None},
        "after": {"name": "Vision", "max_hourly_usd": "5.00"},
    }


def test_nothing_changed_is_nothing() -> None:
    assert changes("teams.Team", {"name": "Lab"}, {"name": "Lab"}) == {}


def test_a_field_that_nobody_classified_is_no_way_around() -> None:
    with pytest.raises(KeyError, match=r"teams\.Team\.nickname"):
        changes("teams.Team", {}, {"nickname": "x"})


@pytest.mark.parametrize(
    ("model", "name"), [(model, name) for model, fields in FIELDS.items() for name in sorted(fields.secret)]
)
def test_no_secret_is_told(model: str, name: str) -> None:
    told = changes(model, {name: "canary-before"}, {name: "canary-after"})
    assert told == {"before": {name: "(secret)"}, "after": {name: "(changed)"}}


@pytest.mark.django_db
def test_two_looks_at_a_row_tell_what_an_act_did_to_it() -> None:
    team = factories.make_team()
    credential = factories.make_credential(team)
    before = snapshot(credential)
    credential.name, credential.secret_sealed = "Other", "sealed:canary"
    told = changes("credentials.Credential", before, snapshot(credential))
    assert told["after"] == {"name": "Other", "secret_sealed": "(changed)"}
    assert "canary" not in json.dumps(told)


def test_values_become_json() -> None:
    at = dt.datetime(2026, 11, 25, 13, 0, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    assert plain({"at": at, "days": ["mon"], "names": {"b", "a"}, "usd": Decimal("1.50")}) == {
        "at": "2026-11-25T12:00:00+00:00",
        "days": ["mon"],
        "names": ["a", "b"],
        "usd": "1.50",
    }
    with pytest.raises(TypeError):
        plain(object())
