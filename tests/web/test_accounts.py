"""Signing in and up, confirming addresses, and new passwords, through the pages and without Redis."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dispersed_web.accounts import throttles
from dispersed_web.accounts.models import Throttle, User
from dispersed_web.events.models import Audience, Event
from dispersed_web.teams.models import Invitation
from tests import factories as make

pytestmark = pytest.mark.django_db
LOGIN, SIGNUP, RESET = "/account/login/", "/account/signup/", "/account/password/reset/"
NEW = "correct horse battery staple"
LINK = re.compile(r"http\S+")


def sign_in(client: Client, email: str, password: str = make.PASSWORD, **extra: Any) -> Any:
    return client.post(LOGIN, {"login": email, "password": password}, **extra)


def sign_up(client: Client, email: str = "new@example.org", password: str = NEW, **extra: Any) -> Any:
    fields = {"email": email, "name": "New Person", "password1": password, "password2": password}
    return client.post(SIGNUP, fields | extra)


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def text(answer: Any) -> str:
    """The page without what differs from one time to the next."""
    page = " ".join(answer.content.decode().split())
    return re.sub(r'value="\w{64}"|"X-CSRFToken": "\w+"|name="server-time" content="\S+"', "", page)


def invitation(
    client: Client, email: str = "new@example.org", by_mail: bool = True, **fields: Any
) -> Invitation:
    """An open invitation whose link this browser followed."""
    values: dict[str, Any] = {
        "role": "member",
        "digest": uuid.uuid4().hex,
        "expires_at": timezone.now() + dt.timedelta(hours=72),
    }
    team = make.make_team("Vision")
    values |= {"team": team, "invited_by": make.owner_of(team)}
    made = Invitation.objects.create(email=email, by_mail=by_mail, **values | fields)
    session = client.session
    session["invitation"] = str(made.pk)
    session.save()
    return made


class TestSigningIn:
    def test_a_right_password_does_not_count(self, client: Client) -> None:
        user = make.make_user()
        for _ in range(throttles.RULES["sign_in_account"].limit + 1):
            assert sign_in(Client(), user.email).status_code == 302
        assert not Throttle.objects.filter(taken__gt=0).exists()

    def test_known_and_unknown_accounts_are_answered_and_counted_alike(self) -> None:
        known = make.make_user()
        answers = []
        for email in (known.email, "nobody@example.org"):
            seen = []
            for number in range(throttles.RULES["sign_in_account"].limit + 2):
                answer = sign_in(Client(), email, "wrong wrong wrong", REMOTE_ADDR=f"198.51.100.{number}")
                seen.append(text(answer).replace(email, "EMAIL"))
            answers.append(seen)
        assert answers[0] == answers[1]
        assert "The address or the password is not right." in answers[0][0]
        assert "Too many wrong passwords. Try again in 60 minutes." in answers[0][-1]

    def test_the_same_queries_are_made_for_both(self) -> None:
        known = make.make_user()
        counts = []
        for email in (known.email, "nobody@example.org"):
            sign_in(Client(), email, "wrong wrong wrong")
            with CaptureQueriesContext(connection) as queries:
                sign_in(Client(), email, "wrong wrong wrong")
            counts.append(len(queries))
        assert abs(counts[0] - counts[1]) <= 3

    def test_one_address_tries_many_accounts_only_so_often(self) -> None:
        for number in range(throttles.RULES["sign_in_address"].limit):
            sign_in(Client(), f"a{number}@example.org", "wrong wrong wrong", REMOTE_ADDR="198.51.100.7")
        user = make.make_user()
        assert "Try again in" in text(sign_in(Client(), user.email, REMOTE_ADDR="198.51.100.7"))
        assert sign_in(Client(), user.email, REMOTE_ADDR="198.51.100.8").status_code == 302

    def test_addresses_of_one_ipv6_network_count_as_one(self) -> None:
        for number in range(throttles.RULES["sign_in_address"].limit):
            sign_in(
                Client(), f"a{number}@example.org", "wrong wrong wrong", REMOTE_ADDR=f"2001:db8::{number:x}"
            )
        user = make.make_user()
        assert "Try again" in text(sign_in(Client(), user.email, REMOTE_ADDR="2001:db8::ffff"))
        assert sign_in(Client(), user.email, REMOTE_ADDR="2001:db8:0:1::1").status_code == 302

    def test_a_forged_forwarded_address_changes_nothing(self) -> None:
        user = make.make_user()
        for number in range(throttles.RULES["sign_in_address"].limit):
            forged = {"REMOTE_ADDR": "198.51.100.7", "HTTP_X_FORWARDED_FOR": f"203.0.113.{number}"}
            sign_in(Client(), f"a{number}@example.org", "wrong wrong wrong", **forged)
        assert "Try again in" in text(sign_in(Client(), user.email, REMOTE_ADDR="198.51.100.7"))

    def test_a_stranger_does_not_keep_people_out_where_they_signed_in_before(self) -> None:
        user = make.make_user()
        assert sign_in(Client(), user.email, REMOTE_ADDR="192.0.2.1").status_code == 302
        for number in range(throttles.RULES["sign_in_account"].limit + 1):
            sign_in(Client(), user.email, "wrong wrong wrong", REMOTE_ADDR=f"198.51.100.{number}")
        assert "Try again in" in text(sign_in(Client(), user.email, REMOTE_ADDR="203.0.113.1"))
        assert sign_in(Client(), user.email, REMOTE_ADDR="192.0.2.1").status_code == 302

    def test_nor_does_one_behind_the_same_address(self) -> None:
        user, other = make.make_user(), make.make_user()
        assert sign_in(Client(), user.email, REMOTE_ADDR="192.0.2.1").status_code == 302
        for number in range(throttles.RULES["sign_in_address"].limit):
            sign_in(Client(), f"a{number}@example.org", "wrong wrong wrong", REMOTE_ADDR="192.0.2.1")
        assert "Try again in" in text(sign_in(Client(), other.email, REMOTE_ADDR="192.0.2.1"))
        assert sign_in(Client(), user.email, REMOTE_ADDR="192.0.2.1").status_code == 302

    def test_those_who_are_known_at_an_address_are_counted_together_too(self) -> None:
        user = make.make_user()
        assert sign_in(Client(), user.email, REMOTE_ADDR="192.0.2.1").status_code == 302
        for _ in range(throttles.RULES["sign_in_known_address"].limit):
            assert not throttles.take("sign_in_known_address", "192.0.2.1", timezone.now())
        assert "Try again in" in text(sign_in(Client(), user.email, REMOTE_ADDR="192.0.2.1"))

    def test_the_person_is_told_once_of_many_wrong_passwords(self) -> None:
        user = make.make_user()
        for number in range(throttles.RULES["sign_in_account"].limit + 3):
            sign_in(Client(), user.email, "wrong wrong wrong", REMOTE_ADDR=f"198.51.100.{number}")
        assert Event.objects.filter(kind="account.attempts", subject_id=str(user.pk)).count() == 1

    def test_each_failure_and_each_success_is_recorded_with_where_it_came_from(self) -> None:
        user = make.make_user()
        sign_in(Client(), user.email, "wrong wrong wrong", REMOTE_ADDR="198.51.100.7")
        sign_in(Client(), "nobody@example.org", "wrong wrong wrong", REMOTE_ADDR="198.51.100.7")
        sign_in(Client(), user.email, REMOTE_ADDR="198.51.100.8")
        events = Event.objects.filter(kind__startswith="account.").order_by("pk")
        assert [(one.kind, one.subject_id, one.ip_address) for one in events] == [
            ("account.sign_in_failed", str(user.pk), "198.51.100.7"),
            ("account.sign_in_failed", "", "198.51.100.7"),
            ("account.signed_in", str(user.pk), "198.51.100.8"),
        ]
        assert "nobody@" not in str([(one.sentence, one.data) for one in events])

    def test_the_log_takes_so_many_failures_of_unknown_accounts_an_hour(self) -> None:
        most = throttles.RULES["sign_in_noted"].limit
        for _ in range(most - 1):
            throttles.take("sign_in_noted", "unknown", timezone.now())
        for number in range(3):
            email, address = f"nobody{number}@example.org", f"198.51.100.{number}"
            sign_in(Client(), email, "wrong wrong wrong", REMOTE_ADDR=address)
        assert Event.objects.filter(kind="account.sign_in_failed").count() == 1

    def test_the_session_gets_a_new_id(self, client: Client) -> None:
        user = make.make_user()
        invitation(client)
        before = client.session.session_key
        sign_in(client, user.email)
        assert client.session.session_key != before
        assert not client.session.exists(before)

    def test_a_service_account_never_signs_in(self, client: Client) -> None:
        account = make.make_user("bot@service.invalid", is_service=True)
        EmailAddress.objects.create(user=account, email=account.email, verified=True, primary=True)
        sign_in(client, account.email)
        assert not is_in(client)

    @pytest.mark.parametrize(
        "where", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
    )
    def test_next_leads_to_own_addresses_only(self, client: Client, where: str) -> None:
        user = make.make_user()
        answer = client.post(LOGIN, {"login": user.email, "password": make.PASSWORD, "next": where})
        assert answer["Location"] == "/"
        assert "evil" not in client.post("/account/logout/", {"next": where})["Location"]

    def test_next_leads_on_within_the_product(self, client: Client) -> None:
        user = make.make_user()
        fields = {"login": user.email, "password": make.PASSWORD, "next": "/me/"}
        assert client.post(LOGIN, fields)["Location"] == "/me/"

    def test_a_new_browser_or_address_is_told_and_a_known_one_is_not(self) -> None:
        user = make.make_user()

        def told(address: str, agent: str) -> bool:
            before = told_of().count()
            assert (
                sign_in(Client(), user.email, REMOTE_ADDR=address, HTTP_USER_AGENT=agent).status_code == 302
            )
            return told_of().count() > before

        firefox, safari = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "Mozilla/5.0 (iPhone) Safari/605"
        assert not told("192.0.2.1", firefox)
        assert not told("192.0.2.1", firefox.replace("140", "141"))
        assert told("192.0.2.2", firefox)
        assert told("192.0.2.1", safari)
        assert not told("192.0.2.2", safari)
        sentence = told_of().earliest("pk").sentence
        assert "Firefox on Linux, from 192.0.2.2" in sentence


class TestSigningUp:
    def test_by_invitation_there_is_no_form_without_one(self, client: Client) -> None:
        assert "by invitation" in text(client.get(SIGNUP))
        sign_up(client)
        assert not User.objects.exists()

    @pytest.mark.parametrize(
        "state",
        [{"revoked_at": timezone.now()}, {"accepted_at": timezone.now()}, {"expires_at": timezone.now()}],
    )
    def test_nor_with_one_that_is_over(self, client: Client, state: dict[str, Any]) -> None:
        invitation(client, **state)
        assert "by invitation" in text(client.get(SIGNUP))
        sign_up(client)
        assert not User.objects.filter(email="new@example.org").exists()

    def test_closed_is_closed_also_to_the_invited(self, client: Client, settings: Any) -> None:
        settings.SIGNUP = "closed"
        invitation(client)
        assert "made by the operator" in text(client.get(SIGNUP))
        sign_up(client)
        assert not User.objects.filter(email="new@example.org").exists()

    def test_a_mailed_invitation_proves_its_address_and_no_other_is_taken(self, client: Client) -> None:
        invitation(client)
        assert "You are invited to Vision" in text(client.get(SIGNUP))
        sign_up(client, email="other@example.org")
        assert is_in(client)
        user = User.objects.get(email="new@example.org")
        assert user.name == "New Person"
        assert EmailAddress.objects.get(user=user).verified
        assert client.session["invitation"]
        assert not User.objects.filter(email="other@example.org").exists()

    def test_an_invitation_by_link_proves_nothing(self, client: Client, mailoutbox: list[Any]) -> None:
        invitation(client, by_mail=False)
        assert sign_up(client)["Location"] == "/account/confirm-email/"
        assert not is_in(client)
        confirm(client, mailoutbox)
        assert is_in(client)
        assert client.session["invitation"]

    def test_open_to_anybody_who_reads_the_mail(
        self, client: Client, settings: Any, mailoutbox: list[Any]
    ) -> None:
        settings.SIGNUP, settings.PUBLIC_URL = "open", "https://jobs.example.com"
        answer = client.post(SIGNUP, _fields(), HTTP_HOST="evil.example")
        assert answer["Location"] == "/account/confirm-email/"
        assert mailoutbox[0].subject == "Confirm your address"
        assert "evil.example" not in mailoutbox[0].body
        assert "https://jobs.example.com/account/confirm-email/" in mailoutbox[0].body
        assert sign_in(Client(), "new@example.org", NEW)["Location"] == "/account/confirm-email/"
        confirm(client, mailoutbox)
        assert is_in(client)

    def test_nobody_is_warned_of_the_address_that_they_signed_up_with(
        self, client: Client, settings: Any, mailoutbox: list[Any]
    ) -> None:
        settings.SIGNUP = "open"
        sign_up(client)
        confirm(client, mailoutbox)
        noted = Event.objects.get(kind="account.email_changed")
        assert (noted.audience, noted.sentence) == (Audience.NOBODY, "new@example.org was confirmed.")

    def test_reading_the_link_confirms_nothing(
        self, client: Client, settings: Any, mailoutbox: list[Any]
    ) -> None:
        settings.SIGNUP = "open"
        sign_up(client)
        assert client.get(LINK.search(mailoutbox[0].body)[0]).status_code == 200
        assert not EmailAddress.objects.get().verified

    def test_an_address_that_has_an_account_gets_the_same_answer(
        self, settings: Any, mailoutbox: list[Any]
    ) -> None:
        settings.SIGNUP = "open"
        known = make.make_user()
        old, new = Client(), Client()
        first, second = sign_up(old, known.email), sign_up(new)
        assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])
        pages = [text(one.get(first["Location"])) for one in (old, new)]
        assert pages[0].replace(known.email, "new@example.org") == pages[1]
        assert [mail.to for mail in mailoutbox] == [[known.email], ["new@example.org"]]
        assert "There is one already" in mailoutbox[0].body
        known.refresh_from_db()
        assert known.check_password(make.PASSWORD)

    @pytest.mark.parametrize(
        ("password", "words"),
        [
            ("short", "at least 12"),
            ("x" * 129, "at most 128"),
            ("passwordpassword", ""),
            ("new@example.org", "similar"),
        ],
    )
    def test_bad_passwords_are_refused(
        self, client: Client, settings: Any, password: str, words: str
    ) -> None:
        settings.SIGNUP = "open"
        answer = sign_up(client, password=password)
        if words:
            assert words in text(answer)
            assert not User.objects.exists()

    def test_what_was_typed_stays_but_for_passwords(self, client: Client, settings: Any) -> None:
        settings.SIGNUP = "open"
        page = text(sign_up(client, password2="another another"))
        assert 'value="New Person"' in page
        assert NEW not in page

    @pytest.mark.parametrize(
        ("sent", "zone"),
        [("Europe/Berlin", "Europe/Berlin"), ("Mars/Base", "UTC"), ("../" * 99, "UTC"), ("", "UTC")],
    )
    def test_the_browser_says_the_time_zone(
        self, client: Client, settings: Any, sent: str, zone: str
    ) -> None:
        settings.SIGNUP = "open"
        sign_up(client, time_zone=sent)
        assert User.objects.get().time_zone == zone

    def test_many_from_one_address_have_to_wait(self, settings: Any) -> None:
        settings.SIGNUP = "open"
        for number in range(throttles.RULES["signup"].limit):
            assert sign_up(Client(), f"n{number}@example.org").status_code == 302
        assert "Too many accounts were made from here. Try again in" in text(sign_up(Client()))
        assert not User.objects.filter(email="new@example.org").exists()

    def test_links_are_sent_to_one_mailbox_only_so_often(self, settings: Any, mailoutbox: list[Any]) -> None:
        settings.SIGNUP = "open"
        sign_up(Client())
        for _ in range(throttles.RULES["confirm_mail"].limit + 2):
            assert sign_in(Client(), "new@example.org", NEW).status_code == 302
        assert len(mailoutbox) == throttles.RULES["confirm_mail"].limit


class TestForgottenPasswords:
    def test_known_and_unknown_are_answered_alike_and_only_so_often(self, mailoutbox: list[Any]) -> None:
        known = make.make_user()
        seen = []
        for email in (known.email, "nobody@example.org"):
            answers = [
                Client().post(RESET, {"email": email}) for _ in range(throttles.RULES["reset"].limit + 1)
            ]
            assert [one.status_code for one in answers] == [302] * throttles.RULES["reset"].limit + [200]
            assert "Too many e-mails were asked for. Try again in" in text(answers[-1])
            seen.append([one.get("Location") for one in answers])
        assert seen[0] == seen[1]
        assert len(mailoutbox) == 2 * throttles.RULES["reset"].limit

    def test_a_new_password_ends_all_sessions_and_is_told(
        self, client: Client, mailoutbox: list[Any]
    ) -> None:
        user = make.make_user()
        sign_in(client, user.email)
        other = Client()
        other.post(RESET, {"email": user.email})
        form = other.get(LINK.search(mailoutbox[0].body)[0])["Location"]
        answer = other.post(form, {"password1": NEW, "password2": NEW})
        assert answer.status_code == 302
        assert not is_in(other)
        assert client.get("/me/").status_code == 302
        assert Event.objects.filter(kind="account.password_changed", subject_id=str(user.pk)).exists()
        assert "works no more" in text(Client().get(LINK.search(mailoutbox[0].body)[0]))

    def test_a_service_account_gets_no_link(self, mailoutbox: list[Any]) -> None:
        make.make_user("bot@service.invalid", is_service=True)
        Client().post(RESET, {"email": "bot@service.invalid"})
        assert "key/" not in mailoutbox[0].body


class TestOnesOwnAccount:
    def test_a_changed_password_ends_the_other_sessions(self, client: Client) -> None:
        user = make.make_user()
        other = Client()
        sign_in(client, user.email)
        sign_in(other, user.email)
        fields = {"oldpassword": make.PASSWORD, "password1": NEW, "password2": NEW}
        assert client.post("/account/password/change/", fields).status_code == 302
        assert client.get("/me/").status_code == 200
        assert other.get("/me/").status_code == 302
        assert Event.objects.filter(kind="account.password_changed").count() == 1

    def test_the_current_password_may_be_guessed_only_so_often(self, client: Client) -> None:
        make.sign_in(client, make.make_user())
        fields = {"oldpassword": "wrong wrong wrong", "password1": NEW, "password2": NEW}
        pages = [
            text(client.post("/account/password/change/", fields, REMOTE_ADDR=f"198.51.100.{number}"))
            for number in range(throttles.RULES["sudo"].limit + 1)
        ]
        assert "This is not your password." in pages[0]
        assert "Try again in" in pages[-1]

    def test_a_new_address_counts_once_its_link_was_followed(
        self, client: Client, mailoutbox: list[Any]
    ) -> None:
        user = make.sign_in(client, make.make_user("old@example.org"))
        client.post("/account/email/", {"email": "New@example.org", "action_add": ""})
        user.refresh_from_db()
        assert user.email == "old@example.org"
        assert "waits for its link" in text(client.get("/account/email/"))
        confirm(client, mailoutbox)
        user.refresh_from_db()
        assert user.email == "new@example.org"
        assert list(EmailAddress.objects.filter(user=user).values_list("email", "verified", "primary")) == [
            ("new@example.org", True, True)
        ]
        assert Event.objects.filter(kind="account.email_changed").exists()
        told = [mail for mail in mailoutbox if mail.to == ["old@example.org"]]
        assert "now new@example.org" in told[0].body

    def test_people_with_a_second_factor_change_their_address_too(
        self, client: Client, mailoutbox: list[Any]
    ) -> None:
        user = make.make_user("old@example.org")
        make.give_second_factor(user)
        make.sign_in(client, user)
        client.post("/account/email/", {"email": "new@example.org", "action_add": ""})
        confirm(client, mailoutbox)
        user.refresh_from_db()
        assert user.email == "new@example.org"

    def test_an_address_that_another_account_took_meanwhile_is_not_taken_over(
        self, client: Client, mailoutbox: list[Any]
    ) -> None:
        user = make.sign_in(client, make.make_user("old@example.org"))
        client.post("/account/email/", {"email": "new@example.org", "action_add": ""})
        User.objects.create_user("new@example.org", NEW)
        confirm(client, mailoutbox)
        user.refresh_from_db()
        assert user.email == "old@example.org"

    def test_whoever_signed_in_long_ago_confirms_first(self, client: Client) -> None:
        client.force_login(make.make_user())
        assert client.get("/account/email/")["Location"].startswith("/account/reauthenticate/")
        assert (
            client.post("/account/email/", {"email": "new@example.org", "action_add": ""}).status_code == 422
        )
        assert not EmailAddress.objects.filter(email="new@example.org").exists()


def told_of() -> Any:
    return Event.objects.filter(kind="account.signed_in", audience="person")


def _fields() -> dict[str, str]:
    return {"email": "new@example.org", "name": "", "password1": NEW, "password2": NEW}


def confirm(client: Client, mailoutbox: list[Any]) -> None:
    link = LINK.search(mailoutbox[-1].body)[0]
    path = link[link.index("/account/") :]
    assert client.get(path).status_code == 200
    client.post(path)
