"""Who may set who may use a credential, and its caps."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from dispersed_web.credentials import rules
from dispersed_web.credentials.keeping import CredentialRefused
from dispersed_web.credentials.models import Credential, CredentialCaps
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.teams.models import Team
from tests import factories as make

pytestmark = pytest.mark.django_db
NONE: dict[str, Any] = dict.fromkeys(rules.CAPS) | {"task": "", "gpu_models": [], "regions": [], "images": []}


@pytest.fixture
def team() -> Team:
    return make.make_team()


@pytest.fixture
def row(team: Team) -> Credential:
    return make.make_credential(team, name="Lab")


def use(row: Credential, role: str = "admin", **changes: Any) -> bool:
    values = {"name": "Lab", "usable_by": "members", "chosen": [], "managed_by": "admins"} | changes
    person = make.owner_of(row.team) if role == "owner" else make.make_member(row.team, role)
    return rules.set_use(row, **values, actor=Actor.person(person), now=timezone.now())


def cap(row: Credential, role: str = "admin", **changes: Any) -> bool:
    person = make.owner_of(row.team) if role == "owner" else make.make_member(row.team, role)
    return rules.set_caps(row, NONE | changes, actor=Actor.person(person), now=timezone.now())


def test_chosen_members_are_kept_where_it_is_for_chosen_ones(row: Credential) -> None:
    ann, ben = (make.make_member(row.team) for _ in range(2))
    assert use(row, usable_by="chosen", chosen=[ann.pk, ben.pk])
    assert use(row, usable_by="chosen", chosen=[ben.pk])
    assert list(row.chosen.values_list("user", flat=True)) == [ben.pk]
    assert not use(row, usable_by="chosen", chosen=[ben.pk])
    assert use(row, usable_by="admins", chosen=[ben.pk])
    assert not row.chosen.exists()
    event = Event.objects.filter(kind="credential.use_changed").order_by("id")[1]
    assert event.data == {
        "before": {"chosen": sorted([ann.pk, ben.pk])},
        "after": {"chosen": [ben.pk]},
    }


def test_only_members_of_the_team_are_chosen(row: Credential) -> None:
    stranger = make.make_member(make.make_team())
    with pytest.raises(CredentialRefused, match="members of the team"):
        use(row, usable_by="chosen", chosen=[stranger.pk])
    assert not row.chosen.exists()


def test_only_owners_keep_it_to_owners(row: Credential) -> None:
    with pytest.raises(CredentialRefused, match="owner"):
        use(row, managed_by="owners")
    assert use(row, "owner", managed_by="owners")
    row.refresh_from_db()
    for act in (use, cap):
        with pytest.raises(CredentialRefused, match="may not manage"):
            act(row)
    assert use(row, "owner")


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_members_manage_nothing(row: Credential, role: str) -> None:
    for act in (use, cap):
        with pytest.raises(CredentialRefused, match="may not manage"):
            act(row, role)


def test_a_name_is_used_once(row: Credential) -> None:
    make.make_credential(row.team, name="Other")
    with pytest.raises(CredentialRefused, match="of this name"):
        use(row, name="Other")


@pytest.mark.parametrize("state", ["retired", "gone"])
def test_what_is_retired_gets_no_rules(row: Credential, state: str) -> None:
    Credential.objects.update(state=state)
    with pytest.raises(CredentialRefused, match="retired"):
        cap(row, max_active_jobs=1)


def test_caps_are_stored_and_recorded(row: Credential) -> None:
    assert cap(row, max_active_jobs=3, max_day_usd=Decimal("5.00"), images=["lab/*"], task="BATCH")
    assert not cap(row, max_active_jobs=3, max_day_usd=Decimal("5.00"), images=["lab/*"], task="BATCH")
    caps = CredentialCaps.objects.get()
    assert (caps.max_active_jobs, caps.max_day_usd, caps.images) == (3, Decimal(5), ["lab/*"])
    assert Event.objects.get().data["after"] == {
        "max_active_jobs": 3,
        "max_day_usd": "5.00",
        "images": ["lab/*"],
        "task": "BATCH",
    }


@pytest.mark.parametrize("name", rules.MONEY)
def test_admins_lower_caps_on_money_and_owners_raise_them(row: Credential, name: str) -> None:
    assert cap(row, **{name: Decimal(10)})
    assert cap(row, **{name: Decimal(9)})
    for new in (Decimal("9.01"), None):
        with pytest.raises(CredentialRefused, match="owner"):
            cap(row, **{name: new})
        assert getattr(CredentialCaps.objects.get(), name) == 9
    assert cap(row, "owner", **{name: None})


@pytest.mark.parametrize(
    "bad",
    [
        {"images": ["lab/x y"]},
        {"images": [""]},
        {"images": ["x" * 301]},
        {"gpu_models": ["x"] * 51},
        {"task": "OTHER"},
        {"max_hourly_usd": Decimal(-1)},
        {"max_lifetime_s": 59},
    ],
)
def test_what_cannot_be_meant_is_refused(row: Credential, bad: dict[str, Any]) -> None:
    with pytest.raises(CredentialRefused) as refused:
        cap(row, "owner", **bad)
    assert refused.value.field == next(iter(bad))
    assert not CredentialCaps.objects.exists()
