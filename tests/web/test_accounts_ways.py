"""Where answers may lead a browser: to addresses of this installation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests import factories as make

SOURCES = [
    *Path("dispersed_web/web").rglob("*.py"),
    *Path("dispersed_web/api").rglob("*.py"),
]
EVIL = ("https://evil.example/t/", "//evil.example", "/\\evil.example", "javascript:alert(1)")


@pytest.mark.django_db
@pytest.mark.parametrize("where", EVIL)
def test_a_fragment_leads_only_to_our_own_page_of_confirming(client: Client, where: str) -> None:
    client.force_login(make.make_user())
    answer = client.get("/account/email/", HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL=where)
    assert answer["HX-Redirect"].startswith("/account/reauthenticate/")
    assert "evil" not in answer["HX-Redirect"]
    assert "javascript" not in answer["HX-Redirect"]


@pytest.mark.django_db
@pytest.mark.parametrize("where", EVIL)
def test_confirming_who_one_is_leads_back_to_our_own_pages(client: Client, where: str) -> None:
    client.force_login(make.make_user())
    answer = client.post(f"/account/reauthenticate/?next={where}", {"password": make.PASSWORD})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/")
    assert not answer["Location"].startswith(("//", "/\\"))


@pytest.mark.django_db
@pytest.mark.parametrize("where", EVIL)
def test_nor_do_the_other_pages_of_accounts_lead_away(client: Client, where: str) -> None:
    user = make.sign_in(client, make.make_user())
    fields: dict[str, Any] = {"oldpassword": make.PASSWORD, "next": where}
    fields |= {"password1": "correct horse battery", "password2": "correct horse battery"}
    answers = [
        client.get(f"/account/login/?next={where}"),
        client.post("/account/password/change/", fields),
        client.post("/account/logout/", {"next": where}),
        Client().post("/account/password/reset/", {"email": user.email, "next": where}),
    ]
    for answer in answers:
        assert answer.status_code == 302
        assert "evil" not in answer["Location"].partition("?")[0]
        assert answer["Location"].startswith("/account/") or answer["Location"] in ("/", "/me/")


def test_no_other_code_leads_a_script_anywhere() -> None:
    names = re.compile(r"HX-Redirect|HX-Location|HttpResponseClientRedirect|HttpResponseLocation")
    using = {path.name for path in SOURCES if names.search(path.read_text())}
    assert using <= {"sudo.py"}
