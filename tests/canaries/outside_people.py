"""What people do with what they prove themselves with, at a product that runs as processes."""

from __future__ import annotations

import re

from tests import factories
from tests.canaries import markers
from tests.canaries.outside import AT, SLUG, World, refused, taken
from tests.canaries.visitor import Visitor
from tests.waiting import eventually


def invite(world: World, role: str) -> Visitor:
    """By a link that is shown once; an account is made behind it, its address confirmed by mail."""
    email = f"{role}@example.org"
    fields = {"email": email, "role": role, "way": "link"}
    shown = taken(world.people["owner"].post(f"{AT}/team/invite/", fields, kept=False)).text
    token = re.search(r"/join/([\w-]{20,})", shown)[1]
    world.links.add("invitation", token)
    guest = world.visitor()
    taken(guest.get(f"/join/{token}/"))
    typed = {"email": email, "name": role, "password1": markers.PASSWORD, "password2": markers.PASSWORD}
    refused(guest.post("/account/signup/", typed | {"password2": markers.WRONG_PASSWORD}), 200)
    taken(guest.post("/account/signup/", typed))
    eventually(lambda: any(email in mail for mail in world.mails.mails), f"{email} is asked to confirm")
    link = world.mails.link("confirm-email")
    world.links.add("address link", link.strip("/").rpartition("/")[2])
    guest.get(link)
    refused(guest.post(link), 302)
    taken(guest.post("/join/accept/"))
    world.people[role] = guest
    return guest


def second_factor(world: World, person: Visitor, email: str) -> None:
    """An app and its recovery codes; then signing in with wrong and right ones."""
    page, again = "/account/2fa/totp/activate/", "/account/reauthenticate/"
    refused(person.post(again, {"password": markers.WRONG_PASSWORD}), 200, 422)
    taken(person.post(again, {"password": markers.PASSWORD}))
    seed = re.search(r'id="app-secret">([A-Z2-7]+)<', person.get(page, kept=False).text)[1]
    world.needles.add("seed", seed)
    person.post(page, {"code": "000000"}, kept=False)
    shown = taken(person.post(page, {"code": factories.totp_code(seed)}, kept=False)).text
    codes = re.search(r'id="recovery-codes">([^<]+)<', shown)[1].split("\n")
    world.needles.add("recovery code", *codes)
    taken(person.post("/account/logout/"))
    password = {"login": email, "password": markers.PASSWORD}
    refused(person.post("/account/login/", password | {"password": markers.WRONG_PASSWORD}), 200)
    taken(person.post("/account/login/", password))
    for code in ("000000", codes[0][:4]):
        with person.typing(code):
            refused(person.post("/account/2fa/authenticate/", {"code": code}), 200)
    refused(person.post("/account/2fa/authenticate/", {"code": codes[0]}), 302)


def forget_a_password(world: World, person: Visitor, email: str) -> None:
    """A change, a change of address, and a reset by mail."""
    change = {"oldpassword": markers.WRONG_PASSWORD} | dict.fromkeys(
        ("password1", "password2"), markers.NEW_PASSWORD
    )
    refused(person.post("/account/password/change/", change), 200)
    refused(person.post("/account/password/change/", change | {"oldpassword": markers.PASSWORD}), 302)
    taken(person.post("/account/logout/"))
    taken(person.post("/account/password/reset/", {"email": email}))
    eventually(lambda: "password/reset/key" in "".join(world.mails.mails), "the link comes by mail")
    link = world.mails.link("password/reset/key")
    world.links.add("reset link", link.rstrip("/").rpartition("/")[2].partition("-")[2])
    form = person.get(link).headers["location"]
    new = {"password1": markers.RESET_PASSWORD, "password2": markers.WRONG_PASSWORD}
    refused(person.post(form, new), 200)
    refused(person.post(form, new | {"password2": markers.RESET_PASSWORD}), 302)
    refused(person.post("/account/login/", {"login": email, "password": markers.RESET_PASSWORD}), 302)


def make_tokens(world: World, owner: Visitor) -> None:
    """One's own and the team's; a calendar; calls of the API with wrong and right ones."""
    for page, scope, name in (
        ("/me/tokens/", "admin", "by admin"),
        (f"{AT}/team/tokens/", "read", "by reader"),
    ):
        fields = {"team": SLUG, "name": "ci", "scope": scope, "days": "90"}
        shown = taken(owner.post(page, fields, kept=False)).text
        text = re.search(r'id="token-text">(dwp_\w+)<', shown)[1]
        world.needles.add("API token", text, text[4:])
        world.people[name] = world.visitor(text)
        refused(world.visitor(text[:-1] + "x").get("/api/v1/me"), 401)
    shown = taken(owner.post("/me/calendar/", kept=False)).text
    feed = re.search(r"/cal/([\w-]{20,})\.ics", shown)[1]
    world.links.add("calendar", feed)
    world.feed = f"/cal/{feed}.ics"
