"""Values that this process opened are found in any text, however they are commonly written, and only so many are kept."""

import base64
import json
import logging
import time
from io import StringIO
from urllib.parse import quote

import pytest

from dispersed_web.credentials import vault
from dispersed_web.credentials.known_values import KnownValues, known
from dispersed_web.credentials.masking import MASK, MaskSecrets
from dispersed_web.credentials.vault import Place

VALUE = "s3cr3t/with+odd chars=9"
WRITTEN = {
    "plain": VALUE,
    "URL": quote(VALUE, safe=""),
    "JSON": json.dumps(VALUE),
    "base64": base64.b64encode(VALUE.encode()).decode().rstrip("="),
    "base64 for URLs": base64.urlsafe_b64encode(VALUE.encode()).decode().rstrip("="),
    "basic login": base64.b64encode(f"user:{VALUE}".encode()).decode().rstrip("="),
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_each_way_of_writing_it_is_hidden(written):
    values = KnownValues()
    values.learn(VALUE)
    hidden = values.hide(f"before {written} after {written}", "***")
    assert "before " in hidden
    assert " after " in hidden
    assert not any(written[at : at + 12] in hidden for at in range(len(written) - 11))


def test_the_values_inside_json_and_the_lines_of_a_file_are_learned():
    values = KnownValues()
    values.learn(json.dumps({"env": {"HF": "abcdefgh1"}, "volumes": ["second-value"]}))
    values.learn("-----BEGIN\nline-of-a-key\nshort")
    assert values.hide("abcdefgh1 second-value line-of-a-key short env", "*") == "* * * short env"


def test_only_so_many_are_kept_and_the_forgotten_one_leaves_nothing():
    values = KnownValues(most=3)
    for number in range(50):
        values.learn(f"secret-number-{number:03}")
    assert len(values) == 3
    assert values.hide("secret-number-001 secret-number-049", "*") == "secret-number-001 *"
    assert values._uses.total() == sum(len(forms) for forms in values._values.values())
    assert "secret" not in repr(values)


def test_a_form_that_two_values_share_stays_while_one_is_known():
    values = KnownValues(most=1)
    values.learn("first-line\nshared-line")
    values.learn("shared-line")
    assert values.hide("first-line shared-line", "*") == "first-line *"


def test_what_begins_alike_is_hidden_whole():
    values = KnownValues()
    for value in ("common-start", "common-start-and-more"):
        values.learn(value)
    assert values.hide("x common-start-and-more y", "*") == "x * y"


def test_a_thousand_values_cost_a_line_next_to_nothing():
    values = KnownValues()
    for number in range(1000):
        values.learn(f"{number:04}-secret-value")
    line = "GET /t/lab/jobs/ answered 200 in 12 ms for somebody at 192.0.2.1 " * 3
    began = time.thread_time()
    for _ in range(100):
        values.hide(line, "*")
    assert (time.thread_time() - began) / 100 < 0.005


@pytest.mark.django_db
def test_what_the_vault_opened_or_sealed_does_not_reach_a_log():
    place = Place("job", 1, 2, "spec_secrets")
    vault.seal(json.dumps({"env": {"PLAIN_LOOKING": "opensesame-77"}}), place)
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(MaskSecrets())
    logger = logging.Logger("masked")
    logger.addHandler(handler)
    logger.error("refused: %s", {"value": "opensesame-77"})
    try:
        raise ValueError("opensesame-77")
    except ValueError:
        logger.exception("broke with %s", base64.b64encode(b"opensesame-77").decode())
    assert "opensesame" not in stream.getvalue()
    assert stream.getvalue().count(MASK) >= 3
    assert len(known) > 0
