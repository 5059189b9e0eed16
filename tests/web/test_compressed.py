"""Compressed answers that share their larger part."""

from __future__ import annotations

import gzip
import pickle

import pytest
from django.test import RequestFactory

from dispersed_web.web import compressed
from dispersed_web.web.compressed import Shared

SHARED = Shared.of("<table>" + "€ row\n" * 5000)


def asked(accept: str):
    return RequestFactory().get("/", headers={"Accept-Encoding": accept})


@pytest.mark.parametrize("begin", ["", "<div>", "<div data-starred='é'>" * 999])
@pytest.mark.parametrize("end", ["", "</div>", "<footer>ü</footer>" * 999])
def test_a_browser_unpacks_what_was_packed_apart(begin, end):
    html = begin + compressed.PLACE + end
    answers = [compressed.answer(asked("br, gzip"), html, SHARED) for _ in range(20)]

    assert {gzip.decompress(one.content).decode() for one in answers} == {begin + SHARED.text + end}
    assert all(one["Content-Encoding"] == "gzip" and one["Vary"] == "Accept-Encoding" for one in answers)
    assert len(answers[0].content) < len((begin + SHARED.text).encode()) / 10
    assert len({len(one.content) for one in answers}) > 1  # so that lengths tell nothing


def test_a_cache_holds_the_compressed_bytes_alone():
    stored = pickle.dumps(SHARED)

    assert len(stored) < len(SHARED.text) / 10
    assert pickle.loads(stored) == SHARED


@pytest.mark.parametrize("accept", ["", "br", "identity"])
def test_who_takes_no_gzip_gets_the_text(accept):
    answer = compressed.answer(asked(accept), f"<div>{compressed.PLACE}</div>", SHARED)

    assert answer.content.decode() == f"<div>{SHARED.text}</div>"
    assert "Content-Encoding" not in answer
