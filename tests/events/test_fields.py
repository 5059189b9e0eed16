"""Every field of every model is classified for the audit log."""

from __future__ import annotations

from django.apps import apps

from dispersed_web.events.fields import FIELDS

SEALED = ("_sealed", "digest")


def known() -> dict[str, set[str]]:
    return {
        model._meta.label: {
            field.name for field in (*model._meta.concrete_fields, *model._meta.local_many_to_many)
        }
        for model in apps.get_models(include_auto_created=True)
    }


def listed(label: str) -> set[str]:
    fields = FIELDS[label]
    return set(fields.track | fields.ignore | fields.secret)


def test_every_model_is_listed_and_no_other() -> None:
    assert set(FIELDS) == set(known())


def test_every_field_is_listed_once_and_no_other() -> None:
    """Whoever adds a field decides in events/fields.py what the audit log says when it changes."""
    unlisted = {f"{label}.{name}" for label, names in known().items() for name in names - listed(label)}
    vanished = {f"{label}.{name}" for label, names in known().items() for name in listed(label) - names}
    assert (unlisted, vanished) == (set(), set())
    for label, fields in FIELDS.items():
        total = len(fields.track) + len(fields.ignore) + len(fields.secret)
        assert total == len(listed(label)), f"{label} has a field twice"


def test_what_is_sealed_or_a_digest_is_secret() -> None:
    wrong = {
        f"{label}.{name}"
        for label, names in known().items()
        for name in names
        if name.endswith(SEALED) and name not in FIELDS[label].secret
    }
    assert wrong == set()
