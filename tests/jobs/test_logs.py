from __future__ import annotations

import base64
import json
import time
import unicodedata
import urllib.parse

import pytest
from django.core.cache import cache
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from dispersed_web.credentials import masking
from dispersed_web.jobs import log_text, logs
from dispersed_web.web.cache import ForgivingRedisCache
from tests import factories
from tests.jobs.test_races import at_once

SECRET = "s3cr3t/with+odd=chars&more"


@given(st.text(alphabet=st.characters(blacklist_categories=()), max_size=200))
@example("\x1b\x1b[0m[31m")
@example("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x07")
@example("\x9b31mred\x9d0;title\x9c")
@example("\x1b[\x1b[31m\r\r\n\x00")
def test_nothing_but_newline_and_tab_controls_the_terminal_or_the_page(raw):
    text = log_text.clean(raw)
    assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t"]
    assert not {
        char for char in text if unicodedata.bidirectional(char) in ("RLO", "LRO", "RLE", "LRE", "PDF")
    }


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain\nlines\n", "plain\nlines\n"),
        ("\x1b[1;31merror\x1b[0m: no", "error: no"),
        ("\x1b]0;a title\x07after", "after"),
        ("\x1bPsomething\x1b\\after", "after"),
        ("\x1b]never ended\nnext line", "\nnext line"),
        ("10 %\r50 %\r100 %\ndone", "100 %\ndone"),
        ("100 %\r", "100 %"),
        ("dos\r\nlines\r\n", "dos\nlines\n"),
        ("safe\u202egnp.exe", "safe\\u202egnp.exe"),
        ("a\u200bb", "a\\u200bb"),
        ("col\tumn\x08\x7f", "col\tumn"),
    ],
)
def test_a_line_reads_as_it_was_last_seen(raw, shown):
    assert log_text.clean(raw) == shown


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        base64.b64encode(f"me:{SECRET}:x".encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        json.dumps(SECRET),
        "".join(f"{char}\x1b[0m" for char in SECRET),
    ],
)
def test_a_secret_is_masked_however_it_is_written(written):
    text = log_text.presentable(f"before {written} after\n", [SECRET])
    core = base64.b64encode(SECRET.encode()).decode()[:20]
    assert SECRET not in text
    assert core not in text
    assert "before" in text
    assert "after" in text
    assert log_text.MASK in text


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40),
    st.binary(max_size=6),
)
def test_a_secret_in_base64_is_masked_at_every_offset(secret, before):
    encoded = base64.b64encode(before + secret.encode()).decode()
    masked = log_text.mask(encoded, [secret])
    assert len(masked) < len(encoded)
    assert log_text.MASK in masked


def test_each_line_of_a_key_is_masked_and_short_words_are_not():
    key = "-----BEGIN KEY-----\nabcdefghijkl\n-----END KEY-----"
    assert "abcdefghijkl" not in log_text.mask("x abcdefghijkl y", [key])
    assert log_text.mask("on and on", ["on"]) == "on and on"


def test_what_looks_like_a_key_is_masked_without_being_known():
    assert "sk_live" not in log_text.mask("using sk_live_0123456789", [])


def test_a_long_line_is_cut():
    assert log_text.cut_lines("x" * 9000) == "x" * 4000 + " …"
    assert log_text.cut_lines("\x1b[1m" * 2000 + "bold") == "bold"


@pytest.fixture
def live_cache(redis_server, monkeypatch):
    """A cache that answers, also when an earlier test found it dead a moment ago."""
    monkeypatch.setattr(ForgivingRedisCache, "_down_until", 0.0)
    cache.clear()


def test_a_log_is_asked_for_once_however_many_watch(world, live_cache):
    job = world.launched()
    world.pass_time(120)
    run = job.runs.get()
    first = logs.read(job, run, world.clock())
    before = len(world.control.requests())
    assert logs.read(job, run, world.clock()) == first
    assert first.trouble == ""
    assert len(world.control.requests()) == before


@pytest.mark.django_db(transaction=True)
def test_while_one_asks_anew_the_others_get_what_was_fresh_a_moment_ago(world, live_cache):
    job = world.launched()
    world.pass_time(120)
    run = job.runs.get()
    first = logs.read(job, run, world.clock())
    log, _ = cache.get(f"log:{run.pk}")
    cache.set(f"log:{run.pk}", (log, time.time() - 1))
    before = len(world.control.requests())
    found = at_once([lambda: logs.read(job, run, world.clock())] * 6)
    assert {one.epoch for one in found} == {first.epoch}
    assert len(world.control.requests()) == before + 1
    cache.set(f"log:{run.pk}", (log, time.time() - logs.STALE_S - 1))
    cache.add(f"log:{run.pk}:turn", True)
    logs.read(job, run, world.clock())
    assert len(world.control.requests()) == before + 2


def test_a_fault_of_the_cloud_is_a_sentence(world, settings):
    job = world.launched()
    world.pass_time(120)
    run = job.runs.get()
    job.credential.api_url = "http://127.0.0.1:9"
    assert logs.read(job, run, timezone.now()).trouble


@pytest.mark.django_db
def test_without_the_key_to_its_secrets_no_log_is_shown(settings):
    spec = factories.make_spec(env={"HF_TOKEN": "very-secret-value"})
    job = factories.make_job(factories.make_team(), spec=spec, secret_env=frozenset({"HF_TOKEN"}))
    run = factories.make_run(job)
    assert logs.secrets_of(job) == ["very-secret-value"]
    settings.KEYRING = [("other", bytes(32))]
    assert "cannot be read" in logs.read(job, run, timezone.now()).trouble


@given(st.text(alphabet=st.characters(blacklist_categories=()), max_size=200))
@example("\x1b[1;31mred\x1b[0m\r\x1b[0m")
@example("\x1b[\x1b[31m\r\r\n\x00\x9b4mx\x1b[38;5;9m")
@example("50 %\r\x1b[0m")
def test_with_colours_a_line_reads_the_same(raw):
    assert log_text.plain(log_text.clean_keeping_colours(raw)) == log_text.clean(raw)


FRAGMENTS = [
    "sk_live_0123456", "x", "\n", " ", "Authorization: Bearer abc", "://me:pass@host", "AKIA0123456789ABCDEF",
    "ı", "İ", "/hb/" + "t" * 22, "ghp_" + "a" * 22,
]  # fmt: skip


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30))
def test_looking_only_at_lines_that_may_hold_a_secret_masks_the_same(pieces):
    text = "".join(pieces)
    assert masking.mask_shapes(text) == masking.mask(text)


def test_every_shape_has_its_sign():
    parts = [
        "sk_abcdef", "dwp_abcdefghij", "hf_abcdefghij", "glpat-abcdefghij", "gho_" + "a" * 20,
        "AKIA0123456789ABCDEF", "/do/" + "a" * 20, "hooks.slack.com/x", "/api/webhooks/x", "://u:p@",
        "AUTHORIZATION: x", "X-Signature: x", "/join/" + "a" * 20, "whsec_" + "a" * 20,
    ]  # fmt: skip
    assert all(masking.MASK in masking.mask_shapes(f"a\n{part}\nb") for part in parts)
    assert masking.SHAPES.pattern.count("|") == 15, "a new shape needs its sign in SIGNS and a line above"


@pytest.mark.parametrize("written", [SECRET, "\x1b[0m".join(SECRET), f"\x1b[31m{SECRET}\x1b[0m"])
def test_a_secret_is_masked_in_colour_and_other_lines_keep_theirs(written):
    text = log_text.presentable_in_colour(f"\x1b[32mok\x1b[0m\n{written}\nend", [SECRET])
    assert SECRET not in log_text.plain(text)
    assert text.startswith("\x1b[32mok\x1b[0m\n")
    assert log_text.MASK in text
