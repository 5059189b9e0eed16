"""Messages to a team's program are signed; the example of the documentation checks them, and refuses all others."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dispersed_web.credentials import vault
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.notifications import channels, signing
from dispersed_web.notifications.models import Channel
from tests import factories as make
from tests.notifications.receiver import Receiver

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).parents[2] / "docs" / "notifications.md"


@pytest.fixture
def channel(hook: Receiver) -> Channel:
    return make.make_channel(make.make_team(), hook.url, host="127.0.0.1", kind="json")


def actor(channel: Channel) -> Actor:
    return Actor.person(make.owner_of(channel.team))


def secret_of(channel: Channel) -> str:
    return channels.renew_signing_secret(channel, actor=actor(channel), now=timezone.now())


def send(hook: Receiver, channel: Channel) -> tuple[dict[str, str], bytes]:
    channel.refresh_from_db()
    assert channels.test(channel, actor=actor(channel), clock=timezone.now).state == "sent"
    _, headers, body = hook.requests[-1]
    return headers, body


def example() -> Any:
    """The function that the documentation shows."""
    code = re.search(r"```python\n(import hashlib, hmac, time.*?)```", DOCS.read_text(), re.DOTALL)
    assert code
    names: dict[str, Any] = {}
    exec(code[1], names)
    return names["is_ours"]


def test_the_signature_is_plain_hmac_over_time_and_body() -> None:
    wanted = hmac.new(b"whsec_x", b'1700000000.{"a": 1}', hashlib.sha256).hexdigest()
    assert signing.headers("whsec_x", b'{"a": 1}', 1_700_000_000) == {
        "X-Dispersed-Web-Timestamp": "1700000000",
        "X-Dispersed-Web-Signature": f"v1={wanted}",
    }


def test_the_documented_check_takes_ours_and_nothing_else(hook: Receiver, channel: Channel) -> None:
    is_ours, secret = example(), secret_of(channel)
    headers, body = send(hook, channel)
    assert is_ours(secret, headers, body)
    assert not is_ours(secret, headers, body + b" ")
    assert not is_ours(signing.new_secret(), headers, body)
    old = signing.headers(secret, body, int(time.time()) - 301)
    assert not is_ours(secret, old, body)
    assert not is_ours(secret, headers | {"X-Dispersed-Web-Timestamp": str(int(time.time()) + 1)}, body)


def test_a_new_secret_takes_the_old_ones_place(hook: Receiver, channel: Channel) -> None:
    old, new = secret_of(channel), secret_of(channel)
    headers, body = send(hook, channel)
    assert (example()(old, headers, body), example()(new, headers, body)) == (False, True)
    assert Event.objects.filter(kind="channel.signing_changed").count() == 2
    assert new not in str(list(Event.objects.values()))


def test_the_secret_is_kept_sealed_to_its_place(channel: Channel) -> None:
    secret = secret_of(channel)
    row = Channel.objects.values().get()
    assert secret not in str(row)
    channel.refresh_from_db()
    other = make.make_channel(make.make_team())
    Channel.objects.filter(pk=other.pk).update(kind="json", signing_sealed=channel.signing_sealed)
    other.refresh_from_db()
    assert channels.test(other, actor=actor(other), clock=timezone.now).state == "failed"
    with pytest.raises(vault.CannotOpen):
        vault.unseal(channel.signing_sealed, vault.Place("channel", other.pk, other.team_id, "signing"))


def test_without_a_secret_and_in_other_formats_nothing_is_signed(hook: Receiver, channel: Channel) -> None:
    assert signing.SIGNATURE not in send(hook, channel)[0]
    secret_of(channel)
    Channel.objects.update(kind="slack")
    assert signing.SIGNATURE not in send(hook, channel)[0]


def test_another_host_does_not_get_to_know_the_old_secret(channel: Channel, settings: Any) -> None:
    secret_of(channel)
    who = {"user": make.owner_of(channel.team), "actor": actor(channel), "now": timezone.now()}
    assert channels.store(channel.team, channel_url(channel), "json", **who).signing_since
    changed = channels.store(channel.team, "https://hooks.example.com/other", "json", **who)
    assert (changed.signing_sealed, changed.signing_since) == ("", None)


def channel_url(channel: Channel) -> str:
    return vault.unseal(channel.url_sealed, vault.Place("channel", channel.pk, channel.team_id, "url"))


def test_the_page_shows_it_once(client: Client, channel: Channel) -> None:
    make.sign_in(client, make.owner_of(channel.team))
    page = reverse("web:team-notices", args=[channel.team.slug])
    assert "not signed" in client.get(page).content.decode()
    answer = client.post(reverse("web:team-notices-signing", args=[channel.team.slug]))
    (text,) = re.findall(r"whsec_[\w-]{43}", answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    later = client.get(page).content.decode()
    assert text not in later
    assert "signed, with a secret made" in later


def test_it_wants_a_fresh_proof_of_who_asks(client: Client, channel: Channel) -> None:
    client.force_login(make.owner_of(channel.team))
    answer = client.post(reverse("web:team-notices-signing", args=[channel.team.slug]))
    assert answer.status_code == 422
    assert Channel.objects.get().signing_sealed == ""
