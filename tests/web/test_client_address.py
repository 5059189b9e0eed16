"""Whose address counts: the proxy's word of it, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from django.test import RequestFactory

from dispersed_web.web.client_address import client_address
from dispersed_web.web.forms.visitor import visitor
from dispersed_web.web.request_facts import facts_of


def seen(forwarded: str | None, remote: str = "10.0.0.1") -> str:
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded is not None else {}
    request = RequestFactory().get("/", REMOTE_ADDR=remote, **headers)
    address = client_address(request)
    assert visitor(request).address == address
    assert (facts_of(request).address or "") in (address, "0.0.0.0")
    assert get_adapter(request).get_client_ip(request) in (address, "0.0.0.0")
    return address


def test_without_a_proxy_the_header_counts_for_nothing(settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 0
    assert seen("203.0.113.9") == "10.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("6.6.6.6,7.7.7.7,  203.0.113.9 ", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, garbage", ""),
        ("", "10.0.0.1"),
        (None, "10.0.0.1"),
    ],
)
def test_behind_one_the_last_entry_counts(settings: Any, forwarded: str | None, address: str) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert seen(forwarded) == address


def test_other_headers_are_never_believed(settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    forged = {"HTTP_X_REAL_IP": "6.6.6.6", "HTTP_FORWARDED": "for=6.6.6.6", "HTTP_CLIENT_IP": "6.6.6.6"}
    assert client_address(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", **forged)) == "10.0.0.1"


def test_the_api_counts_by_as_many_proxies(settings: Any) -> None:
    assert settings.REST_FRAMEWORK["NUM_PROXIES"] == settings.ALLAUTH_TRUSTED_PROXY_COUNT
