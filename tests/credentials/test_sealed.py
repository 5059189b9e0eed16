"""Every column that holds sealed secrets is registered, so that a key can be changed everywhere."""

import ast
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.utils import timezone

from dispersed_web.credentials import sealed, team_secrets, vault
from dispersed_web.credentials.models import TeamSecret
from tests import factories as make

ROOT = Path(__file__).parents[2] / "dispersed_web"
# Where something is sealed: each belongs to a registered column, is a canary, or lies in a session for an hour at most.
SEALING = {
    "credentials/canary.py",
    "credentials/keeping.py",
    "credentials/rotation.py",
    "credentials/succession.py",
    "credentials/team_secrets.py",
    "credentials/vault.py",
    "jobs/runs.py",
    "jobs/specs.py",
    "notifications/channels.py",
    "web/people/mfa_adapter.py",
    "web/people/reset_key.py",
}


def test_every_column_that_is_called_sealed_is_registered():
    called = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.name.endswith("sealed") and model._meta.label != "credentials.KeyCanary"
    }
    registered = {(one.model, one.field) for one in sealed.columns()}
    assert registered - called == {("mfa.Authenticator", "data")}
    assert called - registered == set()


def test_nothing_is_sealed_in_a_place_that_nobody_thought_of():
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in ("seal", "seal_with"):
                    found.add(str(path.relative_to(ROOT)))
    assert found - SEALING == set(), "register the column with credentials/sealed.py, then name the file here"


@pytest.mark.django_db
def test_each_registered_column_is_found_opened_and_replaced():
    team = make.make_team()
    rows = make_one_of_each(team)
    for column in sealed.columns():
        row = column.rows().get()
        assert vault.opens(column.sealed(row), column.place(row)), column.name
        assert column.replace(row, "v1|other|x|y")
        assert not column.replace(row, "v1|third|x|y"), "what was read is not there any more"
        assert column.rows().filter(column.under("other")).count() == 1
    assert len(rows) == len(sealed.columns())


@pytest.mark.django_db
def test_destroying_takes_one_teams_secrets_and_no_others():
    mine, theirs = make.make_team(), make.make_team()
    make_one_of_each(mine)
    key = make.make_credential(theirs)
    found = sealed.destroy(mine.pk)
    assert set(found.values()) == {1}
    assert len(found) == len([one for one in sealed.columns() if one.team])
    assert [row.pk for row in sealed._columns["credentials"].rows()] == [key.pk]
    column = sealed._columns["secrets of jobs"]
    with pytest.raises(vault.CannotOpen, match="was destroyed"):
        vault.unseal(vault.DESTROYED, vault.Place("job", 1, mine.pk, "spec_secrets"))
    assert not column.rows().exists()


def make_one_of_each(team):
    """A row with a sealed text in every registered column."""
    job = make.make_job(
        team, spec=make.make_spec(env={"TOKEN": "hidden-value-1"}), secret_env=frozenset({"TOKEN"})
    )
    run = make.make_run(job)
    run.access_tokens_sealed = vault.seal(
        "token-one-1", sealed._columns["access tokens of machines"].place(run)
    )
    run.save()
    secret = TeamSecret(team=team, name="HF", fingerprint="0" * 8, changed_at=timezone.now())
    secret.value_sealed = vault.seal("value-of-secret", team_secrets.place_of(secret))
    secret.save(force_insert=True)
    user = make.owner_of(team)
    make.give_second_factor(user)
    codes = Authenticator.objects.create(
        user=user,
        type=Authenticator.Type.RECOVERY_CODES,
        data={
            "seed": vault.seal("seed-of-codes", sealed._columns["recovery codes"].place(None)),
            "used_mask": 3,
        },
    )
    channel = make.make_channel(team)
    signing = sealed._columns["webhook signing secrets"]
    channel.signing_sealed = vault.seal("signing-secret-1", signing.place(channel))
    channel.save()
    return [job, run, secret, user, codes, channel, channel, team.credentials.first()]
