"""What people prove themselves with: passwords, codes, seeds, links in mails, and the secret of single sign-on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from dispersed_web.accounts.models import User
from dispersed_web.credentials.apps import know_own_secrets
from dispersed_web.notifications import outbox
from dispersed_web.teams import first_run
from dispersed_web.teams.models import Team
from tests import factories
from tests.canaries import markers
from tests.canaries.mail_server import mail_server
from tests.canaries.recording import Recorder, RecordingClient
from tests.canaries.searching import Needles
from tests.web import oidc_provider
from tests.web.oidc_provider import CLIENT_SECRET, Provider

pytestmark = pytest.mark.django_db
REFRESH = "Xy9refresh-canary-of-the-provider"


def typed_passwords() -> Needles:
    needles = Needles(**markers.INSTALLATION)
    needles.add("password", markers.PASSWORD, markers.WRONG_PASSWORD)
    needles.add("new password", markers.NEW_PASSWORD, markers.RESET_PASSWORD)
    return needles


def last_link(word: str) -> str:
    """The path of the newest link with this word in it that came by mail."""
    bodies = [str(one.body) for one in reversed(mail.outbox)]
    found = next(filter(None, (re.search(rf"https?://[^/\s]+(/\S*{word}\S*)", body) for body in bodies)))
    return found[1]


@pytest.fixture
def first(recorder: Recorder) -> tuple[RecordingClient, Needles]:
    """Somebody who set up the installation in the browser, and the needles so far."""
    client, needles = RecordingClient(recorder), typed_passwords()
    code = first_run.setup_code()
    needles.add("setup code", code, code.replace("-", ""))
    recorder.command("setup_code")
    recorder.pieces.pop()  # it prints the code on purpose
    fields = {"code": code, "email": "ann@example.org", "name": "Ann", "password": markers.PASSWORD}
    for wrong in ({"code": markers.WRONG_PASSWORD}, {"password": "short"}, {"email": markers.PASSWORD}):
        recorder.allow(code, markers.WRONG_PASSWORD, markers.PASSWORD)
        assert client.post("/setup/", fields | wrong).status_code == 422
        recorder.allow()
    assert client.post("/setup/", fields).status_code == 302
    return client, needles


def test_passwords_and_what_mails_carry(recorder: Recorder, first: Any, settings: Any) -> None:
    settings.SIGNUP = "open"
    client, needles = first
    client.post("/setup/team/", {"name": "Lab"})
    client.post("/account/logout/")
    wrong = {"login": "ann@example.org", "password": markers.WRONG_PASSWORD}
    for fields in (
        wrong,
        {"login": markers.WRONG_PASSWORD, "password": "x"},
        wrong | {"login": "nobody@x.org"},
    ):
        recorder.allow(markers.WRONG_PASSWORD)
        assert client.post("/account/login/", fields).status_code == 200
        recorder.allow()
    assert client.post("/account/login/", wrong | {"password": markers.PASSWORD}).status_code == 302
    change = {"oldpassword": markers.WRONG_PASSWORD, "password1": markers.NEW_PASSWORD}
    assert (
        client.post("/account/password/change/", change | {"password2": markers.NEW_PASSWORD}).status_code
        == 200
    )
    change |= {"oldpassword": markers.PASSWORD, "password2": markers.NEW_PASSWORD}
    assert client.post("/account/password/change/", change).status_code == 302
    client.post("/account/reauthenticate/", {"password": markers.WRONG_PASSWORD})
    client.post("/account/reauthenticate/", {"password": markers.NEW_PASSWORD})
    client.post("/account/email/", {"email": "ann.new@example.org", "action_add": ""})
    confirm = last_link("confirm-email")
    client.get(confirm)
    client.post(confirm)
    client.post("/account/logout/")

    client.post("/account/password/reset/", {"email": User.objects.get().email})
    reset = last_link("password/reset/key")
    form = client.get(reset, follow=True)
    keys = [reset.rstrip("/").rpartition("/")[2].partition("-")[2], confirm.rstrip("/").rpartition("/")[2]]
    new = {"password1": markers.RESET_PASSWORD, "password2": markers.WRONG_PASSWORD}
    client.post(form.request["PATH_INFO"], new)
    new["password2"] = markers.RESET_PASSWORD
    client.post(form.request["PATH_INFO"], new)
    assert User.objects.get().check_password(markers.RESET_PASSWORD)

    other = RecordingClient(recorder)
    fields = {"email": "bob@example.org", "password1": markers.PASSWORD, "password2": markers.PASSWORD}
    assert other.post("/account/signup/", fields | {"password2": markers.WRONG_PASSWORD}).status_code == 200
    assert other.post("/account/signup/", fields).status_code == 302
    keys.append(last_link("confirm-email").rstrip("/").rpartition("/")[2])
    other.get(last_link("confirm-email"))

    assert recorder.leaks(needles) == []
    links = Needles()
    for key in keys:
        links.add("link", key)
    pieces = [piece for piece in recorder.everything(mails=False) if "/account/" not in piece[0]]
    assert links.find(pieces) == []


def test_second_factors(recorder: Recorder) -> None:
    person = factories.make_user(password=markers.PASSWORD)
    client, needles = RecordingClient(recorder), typed_passwords()
    client.post("/account/login/", {"login": person.email, "password": markers.PASSWORD})
    activate = reverse("mfa_activate_totp")
    seed = client.get(activate).context["form"].secret
    recorder.shown_once()
    needles.add("seed", seed)
    client.post(activate, {"code": "000000"})
    recorder.shown_once()  # the page goes on showing what is to be scanned
    assert recorder.leaks(needles) == []  # while it waits for the first code
    answer = client.post(activate, {"code": factories.totp_code(seed)})
    codes = re.search(r'id="recovery-codes">([^<]+)<', answer.content.decode())[1].split("\n")
    recorder.shown_once()
    needles.add("recovery code", *codes)
    for page in (
        "/account/2fa/",
        "/account/2fa/recovery-codes/",
        "/me/",
        "/me/security/",
        "/account/sessions/",
    ):
        client.get(page, follow=True)
    client.post("/account/logout/")
    for number, code in enumerate(("000000", codes[0][:4], codes[0], codes[0], codes[1])):
        client.post("/account/login/", {"login": person.email, "password": markers.PASSWORD})
        recorder.allow(*codes)
        answer = client.post("/account/2fa/authenticate/", {"code": code})
        recorder.allow()
        assert (answer.status_code == 302) is (number in (2, 4)), number
        client.post("/account/logout/")
    assert recorder.leaks(needles) == []


def test_invitations(recorder: Recorder) -> None:
    owner, guest = factories.make_user(password=markers.PASSWORD), factories.make_user("guest@example.org")
    team: Team = factories.make_team(owner=owner)
    client, needles = RecordingClient(recorder), typed_passwords()
    factories.sign_in(client, owner)
    invite = reverse("web:team-invite", args=[team.slug])
    answer = client.post(invite, {"email": guest.email, "role": "member", "way": "link", "by_mail": ""})
    shown = re.search(r"/join/([\w-]{20,})", answer.content.decode())
    token = shown[1] if shown else last_link("join").strip("/").rpartition("/")[2]
    recorder.shown_once()
    visitor = RecordingClient(recorder)
    factories.sign_in(visitor, guest)
    recorder.pieces = [piece for piece in recorder.pieces if token not in piece[0]]
    visitor.get(f"/join/{token}/")
    opened = recorder.pieces.pop()
    assert token not in opened[1]
    visitor.get("/join/")
    assert visitor.post("/join/accept/").status_code == 302
    for page in ("team", "team-events", "team-home"):
        client.get(reverse(f"web:{page}", args=[team.slug]))
    needles.add("invitation", token)
    assert recorder.leaks(needles, mails=False) == []


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    settings.SIGNUP = "open"
    person = {"sub": "ana-1", "email": "ana@example.org", "email_verified": True, "name": "Ana"}
    with oidc_provider.served(Provider(person=person), settings) as made:
        yield made


def test_single_sign_on(recorder: Recorder, provider: Provider) -> None:
    needles = typed_passwords()
    needles.add("client secret", CLIENT_SECRET)
    needles.add("what the provider gave", "canary-access", REFRESH)
    client = RecordingClient(recorder)
    for broken in ({"userinfo"}, {"token"}, {"keys"}, set()):
        provider.broken = broken
        provider.token = {"refresh_token": REFRESH}
        way = client.get("/account/oidc/oidc/login/")
        back = provider.authorize(way["Location"])
        client.get(back[back.index("/account/") :])
    client.get("/me/")
    client.get("/account/sessions/")
    assert User.objects.filter(email="ana@example.org").exists()
    assert recorder.leaks(needles) == []


@pytest.fixture
def refusing(settings: Any) -> Iterator[None]:
    with mail_server() as server:
        server.refuses = True
        settings.EMAIL_BACKEND = "dispersed_web.notifications.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address[:2]
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "mailer", markers.SMTP_PASSWORD
        settings.EMAIL_USE_TLS = False
        know_own_secrets()
        yield


@pytest.mark.parametrize("debug", [False, True])
def test_the_mail_servers_password(recorder: Recorder, refusing: None, settings: Any, debug: bool) -> None:
    """Behind pages that send at once, and behind notices."""
    settings.DEBUG = debug
    person = factories.make_user("ann@example.org", password=markers.PASSWORD)
    team = factories.make_team(owner=person)
    client = RecordingClient(recorder)
    client.post("/account/password/reset/", {"email": person.email})
    factories.sign_in(client, person)
    client.post(reverse("web:setup-mail", args=[team.slug]))
    client.get(reverse("web:setup-notices", args=[team.slug]))
    invite = reverse("web:team-invite", args=[team.slug])
    client.post(invite, {"email": "guest@example.org", "role": "member", "way": "mail"})
    factories.make_event(team, "credential.broken", audience="admins")
    outbox.fan_out(timezone.now())
    outbox.send_waiting(timezone.now)
    client.get("/inbox/")
    needles = typed_passwords()
    needles.add("mail server's password", markers.SMTP_PASSWORD)
    leaks = recorder.leaks(needles)
    assert not leaks, "\n".join(leaks)
    assert "SMTPAuthenticationError" in "".join(text for _, text in recorder.everything())
