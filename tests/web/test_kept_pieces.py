"""Pieces of templates that are kept: what one reader is shown never reaches another."""

from __future__ import annotations

import itertools

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.utils.safestring import mark_safe

from tests.factories import make_member, make_team, sign_in


def piece(body: str, names: str = "role=role") -> Template:
    return Template(f"{{% load kept %}}{{% kept {names} %}}{body}{{% endkept %}}")


def test_a_piece_is_made_anew_for_other_values_and_once_for_the_same():
    class Role(str):
        times = itertools.count(1)

        @property
        def made(self) -> int:
            return next(Role.times)

    template = piece("{{ role }} {{ role.made }}")
    shown = [template.render(Context({"role": Role(name)})) for name in ("admin", "viewer", "admin")]

    assert shown == ["admin 1", "viewer 2", "admin 1"]


def test_a_piece_sees_nothing_that_it_does_not_name():
    shown = piece("{{ role }}[{{ secret }}{{ csrf_token }}]").render(
        Context({"role": "viewer", "secret": "of somebody", "csrf_token": "abc"})
    )

    assert shown == "viewer[]"


def test_html_that_is_safe_is_not_taken_for_the_same_text_that_is_not():
    template = piece("{{ role }}")

    assert template.render(Context({"role": mark_safe("<b>")})) == "<b>"
    assert template.render(Context({"role": "<b>"})) == "&lt;b&gt;"
    assert template.render(Context({"role": True})) == "True"
    assert template.render(Context({"role": 1})) == "1"


def test_only_so_many_are_kept(monkeypatch):
    monkeypatch.setattr("dispersed_web.web.templatetags.kept.MOST_KEPT", 3)
    template = piece("{{ role }}")
    node = template.nodelist[-1]

    for role in range(10):
        assert template.render(Context({"role": role})) == str(role)

    assert len(node._kept) <= 3


def test_a_value_without_a_name_is_refused():
    with pytest.raises(TemplateSyntaxError, match="name=value"):
        piece("", "role")


@pytest.mark.django_db
def test_two_teams_and_two_roles_each_get_their_own_frame(client):
    """Asked in turn and again, so that each meets what was kept of the other."""
    lab, shop = make_team("Lab"), make_team("Shop")
    member, viewer, other = make_member(lab), make_member(lab, "viewer"), make_member(shop)

    for _ in range(2):
        pages = {}
        for user, team in ((member, lab), (viewer, lab), (other, shop)):
            sign_in(client, user)
            pages[user] = client.get(f"/t/{team.slug}/jobs/").content.decode()
        assert f'href="/t/{lab.slug}/launch/" data-key="n"' in pages[member]
        assert f'href="/t/{lab.slug}/launch/" data-key="n"' not in pages[viewer]
        assert f'href="/t/{shop.slug}/launch/" data-key="n"' in pages[other]
        assert f"/t/{lab.slug}/" not in pages[other]
        assert other.email not in pages[member]
