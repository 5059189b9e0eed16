"""What browsers are told, on every page and every kind of answer: nothing inline, nothing foreign, nothing kept."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from dispersed_web.web.views import me
from tests import factories as make
from tests.browser.pages import SECTIONS, Installation

pytestmark = pytest.mark.django_db

CSP = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}
HTMX = {
    "allowEval": False,
    "allowScriptTags": False,
    "includeIndicatorStyles": False,
    "selfRequestsOnly": True,
    "historyCacheSize": 0,
    "refreshOnHistoryMiss": True,
}
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
REFERRERS = {"same-origin", "no-referrer", "strict-origin"}


def policy(answer: Any) -> dict[str, str]:
    parts = answer.headers.get("Content-Security-Policy", "").split(";")
    return {name: rest for name, _, rest in (part.strip().partition(" ") for part in parts if part.strip())}


def header_faults(answer: Any) -> list[str]:
    found = [] if policy(answer) == CSP else [f"policy {policy(answer)}"]
    for name, wanted in EVERYWHERE.items():
        if answer.headers.get(name) != wanted:
            found.append(f"{name}: {answer.headers.get(name)}")
    if answer.headers.get("Referrer-Policy") not in REFERRERS:
        found.append(f"Referrer-Policy: {answer.headers.get('Referrer-Policy')}")
    if "camera=()" not in answer.headers.get("Permissions-Policy", ""):
        found.append("no Permissions-Policy")
    if "Server" in answer.headers or "X-Powered-By" in answer.headers:
        found.append("tells what it runs on")
    return found


class Page(HTMLParser):
    """Notes what a page must not hold, and its switches for htmx."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.htmx: dict[str, Any] | None = None
        self.inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.inside = tag if tag in ("script", "style") else ""
        if tag == "style":
            self.faults.append("a style element")
        if tag == "script" and not (named.get("src") or "").startswith("/static/"):
            self.faults.append(f"a script of its own: {attrs}")
        if tag in ("iframe", "object", "embed", "base", "applet"):
            self.faults.append(f"<{tag}>")
        if tag == "meta" and named.get("name") == "htmx-config":
            self.htmx = json.loads(named["content"] or "")
        for name, value in attrs:
            if name == "style" or name.startswith("on") or name.startswith("hx-on"):
                self.faults.append(f"<{tag} {name}>")
            foreign = name in ("src", "href", "action", "formaction") and (value or "").lower()
            drawn = tag == "img" and str(foreign).startswith("data:image/")
            if foreign and not drawn and re.match(r"\s*(javascript|vbscript|data):", foreign):
                self.faults.append(f"<{tag} {name}={value}>")
            if name in ("src", "srcset") and re.match(r"(https?:)?//", value or ""):
                self.faults.append(f"<{tag} {name}={value}>, from elsewhere")

    def handle_data(self, data: str) -> None:
        if self.inside and data.strip():
            self.faults.append(f"something inside <{self.inside}>")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""


def page_faults(answer: Any, *, whole: bool) -> list[str]:
    page = Page(answer.content.decode())
    found = page.faults
    if whole and (page.htmx is None or {name: page.htmx.get(name) for name in HTMX} != HTMX):
        found.append(f"htmx may {page.htmx}")
    return found


@pytest.mark.parametrize("section", SECTIONS)
def test_every_page_is_clean_and_says_so(sandbox: Any, section: str) -> None:
    at = Installation(sandbox)
    clients = {who: Client(raise_request_exception=False) for who in ("", *at.cookies)}
    for who, session in at.cookies.items():
        clients[who].cookies[settings.SESSION_COOKIE_NAME] = session
    wrong, seen = [], 0
    for visit in SECTIONS[section](at):
        answer = clients[visit.who].get(visit.path)
        if "text/html" not in answer.headers.get("Content-Type", ""):
            continue
        seen += 1
        faults = header_faults(answer) + page_faults(answer, whole=not 300 <= answer.status_code < 400)
        if "no-store" not in answer.headers.get("Cache-Control", ""):
            faults.append("may be kept on its way or by the browser")
        if visit.who and not {"HX-Request", "Cookie"} <= set(answer.headers["Vary"].split(", ")):
            faults.append(f"Vary: {answer.headers['Vary']}")
        wrong += [f"{visit.name} ({visit.path}): {one}" for one in faults]
    assert seen > 5
    assert wrong == []


def _answers(client: Client, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """One of each kind of answer that is no page of the list."""
    team = make.make_team()
    make.sign_in(client, make.owner_of(team))
    page = reverse("web:team", args=[team.slug])
    large = {"CONTENT_LENGTH": str(50 * 1024 * 1024)}
    found = {
        "redirect": client.get("/"),
        "missing": client.get("/nowhere/"),
        "foreign": client.get("/t/nobody/"),
        "wrong method": client.get(reverse("web:team-leave", args=[team.slug])),
        "too large": client.post(page, b"x", content_type="text/plain", **large),
        "API, too large": client.post("/api/v1/jobs", b"x", content_type="application/json", **large),
        "API, no token": client.get("/api/v1/jobs"),
        "API, missing": client.get("/api/nowhere"),
        "API document": client.get("/api/schema/"),
        "API docs": client.get("/api/docs/"),
        "heartbeat": client.post(f"/hb/{'a' * 43}"),
        "heartbeat script": client.get("/heartbeat.sh"),
        "health": client.get("/healthz"),
        "static": client.get("/static/app.js"),
        "static, missing": client.get("/static/nothing.js"),
        "csv": client.get(reverse("web:jobs-csv", args=[team.slug])),
        "calendar": client.get("/cal/unknown.ics"),
        "signed out": Client().get(page),
        "no csrf": Client(enforce_csrf_checks=True).post(reverse("account_login"), {"login": "a"}),
    }
    monkeypatch.setattr(me, "page", None)
    return found | {"broken": client.get(reverse("web:me"))}


def test_every_kind_of_answer_has_the_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = _answers(Client(raise_request_exception=False), monkeypatch)
    assert {
        "missing": 404,
        "broken": 500,
        "too large": 413,
        "no csrf": 403,
        "API, too large": 413,
    }.items() <= {name: answer.status_code for name, answer in answers.items()}.items()
    assert {name: faults for name, answer in answers.items() if (faults := header_faults(answer))} == {}
    for name in ("broken", "no csrf", "missing", "foreign"):
        assert page_faults(answers[name], whole=False) == []
    answers["static"].close()


def test_a_host_that_is_not_ours_is_refused_with_the_headers(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["jobs.example.com"]
    answer = Client(raise_request_exception=False).get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert policy(answer) == CSP
    assert "evil.example" not in answer.content.decode()


def test_a_fault_of_ours_says_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("canary-of-an-exception")

    client = Client(raise_request_exception=False)
    make.sign_in(client, make.make_user())
    monkeypatch.setattr(me, "page", broken)
    text = client.get(reverse("web:me")).content.decode()
    assert not [word for word in ("canary", "RuntimeError", "Traceback", "dispersed_web/") if word in text]


# What may be sent ------------------------------------------------------------------------------------------------------


def test_a_form_without_the_token_is_refused_with_and_without_htmx() -> None:
    team = make.make_team()
    client = Client(enforce_csrf_checks=True)
    make.sign_in(client, make.owner_of(team))
    freeze = reverse("web:team-freeze", args=[team.slug])
    for headers in ({}, {"HX-Request": "true"}, {"X-CSRFToken": "a" * 64}):
        assert client.post(freeze, {"frozen": "1"}, headers=headers).status_code == 403
    team.refresh_from_db()
    assert not team.launches_frozen
    token = re.search(r'"X-CSRFToken": "(\w+)"', client.get("/me/").content.decode())
    assert token
    answer = client.post(
        freeze, {"frozen": "1"}, headers={"X-CSRFToken": token[1], "HX-Request": "true", "Referer": "x"}
    )
    assert answer.status_code == 302


def test_a_form_from_another_origin_is_refused_even_with_the_token() -> None:
    team = make.make_team()
    client = Client(enforce_csrf_checks=True)
    make.sign_in(client, make.owner_of(team))
    token = re.search(r'"X-CSRFToken": "(\w+)"', client.get("/me/").content.decode())
    assert token
    headers = {"X-CSRFToken": token[1], "Origin": "https://evil.example"}
    freeze = reverse("web:team-freeze", args=[team.slug])
    assert client.post(freeze, {"frozen": "1"}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": "x" * (1024 * 1024 + 1)}, "one field of more than a mebibyte"),
        ({f"f{number}": "1" for number in range(3001)}, "too many fields"),
    ],
)
def test_a_form_is_bounded(fields: dict[str, str], why: str) -> None:
    client = Client(raise_request_exception=False)
    make.sign_in(client, make.make_user())
    assert client.post(reverse("web:me"), fields).status_code == 400, why


def test_pages_lead_to_https_and_the_api_refuses_plain_http(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/account/login/").status_code == 301
    for headers in ({}, {"Authorization": "Bearer dwp_" + "a" * 36}):
        answer = Client().get("/api/v1/jobs", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "https_required")
    assert Client().get("/api/v1/jobs", secure=True).status_code == 401


@pytest.mark.parametrize("path", ["/account/login/", "/api/v1/jobs", "/healthz", "/heartbeat.sh"])
def test_nothing_answers_trace(path: str) -> None:
    assert Client().trace(path).status_code in (401, 405)


# Under https ------------------------------------------------------------------------------------------------------------

ASK = """
import json, os, sys
from django.conf import settings
settings.ALLOWED_HOSTS
import django
django.setup()
names = sys.argv[1:]
print(json.dumps({name: getattr(settings, name, None) for name in names}, default=str))
"""


def under(address: str, *names: str, **more: str) -> dict[str, Any]:
    """Settings of an installation at this address, in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DW_")}
    own = {
        "DJANGO_SETTINGS_MODULE": "dispersed_web.settings",
        "DW_PUBLIC_URL": address,
        "DW_SECRET_KEY": secrets.token_hex(32),
        "DW_INSTALLATION_ID": "x",
        "DW_KEYS": "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "DW_DATA_DIR": os.environ["DW_TEST_DIR"],
    }
    command = [sys.executable, "-c", ASK, *names]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, env=kept | own | more, cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_cookies_and_transport_are_strict_under_https() -> None:
    wanted = {
        "SESSION_COOKIE_NAME": "__Host-sessionid",
        "CSRF_COOKIE_NAME": "__Host-csrftoken",
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_DOMAIN": None,
        "SESSION_COOKIE_PATH": "/",
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_PROXY_SSL_HEADER": None,
        "ALLOWED_HOSTS": ["jobs.example.com"],
        "CSRF_TRUSTED_ORIGINS": ["https://jobs.example.com"],
        "DEBUG": False,
    }
    assert under("https://jobs.example.com", *wanted) == wanted


def test_the_proxys_headers_are_believed_only_behind_one() -> None:
    names = (
        "SECURE_PROXY_SSL_HEADER",
        "ALLAUTH_TRUSTED_PROXY_COUNT",
        "REST_FRAMEWORK",
        "USE_X_FORWARDED_HOST",
    )
    alone = under("https://jobs.example.com", *names)
    behind = under("https://jobs.example.com", *names, DW_BEHIND_PROXY="1")
    assert (alone["SECURE_PROXY_SSL_HEADER"], alone["ALLAUTH_TRUSTED_PROXY_COUNT"]) == (None, 0)
    assert alone["REST_FRAMEWORK"]["NUM_PROXIES"] == 0
    assert behind["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    assert (behind["ALLAUTH_TRUSTED_PROXY_COUNT"], behind["REST_FRAMEWORK"]["NUM_PROXIES"]) == (1, 1)
    assert not behind["USE_X_FORWARDED_HOST"]


def test_debugging_and_the_real_cloud_do_not_go_together() -> None:
    with pytest.raises(AssertionError, match="DW_DEBUG=1 is for development"):
        under("https://jobs.example.com", "DEBUG", DW_DEBUG="1")


@pytest.mark.parametrize("name", ["", " ", "x" * 65])
def test_an_installation_without_a_usable_id_does_not_start(name: str) -> None:
    """Empty it would be the holder's in every copy of the database; too long PostgreSQL would not take it."""
    with pytest.raises(AssertionError, match="DW_INSTALLATION_ID must have"):
        under("https://jobs.example.com", "DEBUG", DW_INSTALLATION_ID=name)
