"""Whatever is logged, a text that looks like a secret does not reach the log."""

import io
import logging

import pytest

from dispersed_web.credentials.masking import MASK, MaskSecrets, mask

SECRETS = [
    "sk_live_4f9a8b7c6d5e",
    "sk_sim_demo_north_not_a_secret",
    "dwp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5p6q7r8",
    "hf_abcdefghijklmnop",
    "glpat-abcdefghij-klmno",
    "ghp_abcdefghijklmnopqrstu1",
    "AKIAABCDEFGHIJKLMNOP",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_known_shapes_are_masked_wherever_they_stand(secret):
    for text in (secret, f"key={secret}.", f'{{"k": "{secret}"}}', f"https://h/x?k={secret}&a=1"):
        assert secret not in mask(text)
        assert MASK in mask(text)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Authorization: Bearer abc.def", "abc.def"),
        ("x-signature: 9f8e7d", "9f8e7d"),
        ("redis://user:pa55word@host/0", "pa55word"),
        ("postgresql://:pa55word@host/db", "pa55word"),
        ("Internal Server Error: /do/k7fD0aPq3mZ1xYv8Lw2nB5cR9tHs4JgE6uXoIiWbQyA/", "k7fD0aPq3mZ1xYv8Lw2n"),
        ("POST https://hooks.slack.com/services/T0/B0/s3cr3t refused", "s3cr3t"),
        ("POST https://discord.com/api/webhooks/12/s3cr3t refused", "s3cr3t"),
    ],
)
def test_headers_and_addresses(text, hidden):
    assert hidden not in mask(text)


@pytest.mark.parametrize(
    "text", ["pk_sim_demo_north", "task sk_1", "http://host:8000/path", "https://a.b/c@d"]
)
def test_ordinary_text_stays(text):
    assert mask(text) == text


@pytest.fixture
def log():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(MaskSecrets())
    logger = logging.Logger("masked")
    logger.addHandler(handler)
    return logger, stream


def test_arguments_and_tracebacks_are_masked(log):
    logger, stream = log
    logger.info("with %s and %d", SECRETS[0], 7)
    try:
        raise ValueError(f"bad {SECRETS[1]}")
    except ValueError:
        logger.exception("it broke with %r", {"k": SECRETS[2]})
    text = stream.getvalue()
    assert "and 7" in text
    assert "Traceback" in text
    assert not any(secret in text for secret in SECRETS)


def test_the_products_own_log_goes_through_the_mask(settings):
    handlers = settings.LOGGING["handlers"].values()
    assert all("secrets" in handler["filters"] for handler in handlers)
    assert settings.LOGGING["filters"]["secrets"]["()"].endswith("MaskSecrets")
