"""One team's story from outside: over HTTP, at a product that runs as processes, with every kind of secret."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import uuid
from typing import Any

from dispersed_web.sandbox import Sandbox
from tests.canaries import markers
from tests.canaries.mail_server import MailServer
from tests.canaries.searching import Needles
from tests.canaries.visitor import Pieces, Visitor
from tests.notifications.receiver import Receiver
from tests.product import Product

SLUG = "canary-lab"
AT = f"/t/{SLUG}"
OWNER = "owner@example.org"
GIVEN = [markers.REGISTRY, markers.VOLUME, markers.ENV_VALUE, markers.TEAM_SECRET]


class World:
    """The product and all that it talks to, with what came out so far. ``links`` are secrets that stand in messages to
    whom they are for, and nowhere else."""

    def __init__(self, product: Product, cloud: Sandbox, mails: MailServer, hook: Receiver) -> None:
        self.product, self.cloud, self.mails, self.hook = product, cloud, mails, hook
        self.url = f"http://127.0.0.1:{product.port}"
        self.pieces: Pieces = []
        self.needles = Needles(**markers.INSTALLATION)
        self.needles.add("mail server's password", markers.SMTP_PASSWORD)
        self.needles.add("client secret", markers.OIDC_SECRET)
        self.needles.add("password", markers.PASSWORD, markers.WRONG_PASSWORD)
        self.needles.add("new password", markers.NEW_PASSWORD, markers.RESET_PASSWORD)
        self.needles.add("secret key", markers.FIRST_KEY, markers.SECOND_KEY, markers.WRONG_KEY)
        self.needles.add("private key", markers.PRIVATE_BODY)
        self.needles.add("webhook", markers.WEBHOOK_PART)
        self.needles.add("typed at launch", *GIVEN, markers.CHANGED_SECRET, markers.ANSWER)
        self.links = Needles()
        self.people: dict[str, Visitor] = {}
        self.visitors: list[Visitor] = []

    def visitor(self, token: str = "") -> Visitor:
        self.visitors.append(Visitor(self.url, self.pieces, token))
        return self.visitors[-1]

    def close(self) -> None:
        for one in self.visitors:
            one.http.close()

    def sessions(self) -> Needles:
        """What the cookies of everybody said so far."""
        needles = Needles()
        needles.add("session", *(session for one in self.visitors for session in one.sessions))
        return needles

    def sql(self, statement: str, *values: object) -> list[Any]:
        path = self.product.data / "db.sqlite3"
        with contextlib.closing(sqlite3.connect(path, timeout=20)) as database, database:
            return database.execute(statement, values).fetchall()

    def one(self, statement: str, *values: object) -> Any:
        return self.sql(statement, *values)[0][0]


def taken(answer: Any) -> Any:
    assert answer.status_code in (200, 201, 204, 302), told(answer)
    return answer


def refused(answer: Any, *statuses: int) -> Any:
    assert answer.status_code in (statuses or (422,)), told(answer)
    return answer


def told(answer: Any) -> tuple[Any, ...]:
    """What it was asked, and what it said of it."""
    faults = re.findall(
        r'role="alert"[^>]*>(.*?)</|class="[^"]*error[^"]*"[^>]*>(.*?)</', answer.text, re.DOTALL
    )
    return answer.url, answer.status_code, faults or answer.text[:3000]


def first_start(world: World) -> Visitor:
    """The owner's account, team, key, webhook and a mail, each after something went wrong."""
    owner, code = world.visitor(), re.search(r"with the code (\S+)", world.product.text())[1]
    world.links.add("setup code", code, code.replace("-", ""))
    account = {"code": code, "email": OWNER, "name": "Ann", "password": markers.PASSWORD}
    for wrong in ({"code": markers.WRONG_PASSWORD}, {"email": markers.PASSWORD}):
        with owner.typing(code, markers.WRONG_PASSWORD, markers.PASSWORD):
            refused(owner.post("/setup/", account | wrong, kept="code" in wrong))
    taken(owner.post("/setup/", account))
    world.people["owner"] = owner
    taken(owner.post("/setup/team/", {"name": "Canary Lab"}))
    add_a_key(world, owner)
    set_a_webhook(world, owner)
    world.mails.refuses = True
    taken(owner.post(f"{AT}/setup/notices/mail/"))
    world.mails.refuses = False
    taken(owner.post(f"{AT}/setup/notices/mail/"))
    return owner


def add_a_key(world: World, owner: Visitor) -> None:
    """While the cloud answers badly, quoting; with secrets in wrong fields; then well, and another in its place."""
    page, faults = f"{AT}/setup/credential/", world.cloud.control
    right = {"name": "Key", "public_key": markers.PUBLIC, "secret_key": markers.FIRST_KEY}
    for kind, how in (
        ("status", {"status": 401, "code": "bad", "message": markers.FIRST_KEY}),
        ("status", {"status": 500, "code": "broken", "message": markers.FIRST_KEY}),
        ("drop", {"at": "before"}),
    ):
        faults.add_fault("*", kind, **how)
        refused(owner.post(page, right))
        faults.clear_faults()
    for wrong in (
        {"public_key": markers.FIRST_KEY, "secret_key": markers.PUBLIC},
        {"secret_key": markers.PRIVATE_KEY},
        {"secret_key": markers.WRONG_KEY},
    ):
        refused(owner.post(page, right | wrong))
    taken(owner.post(page, right))
    key = uuid.UUID(world.one("SELECT id FROM credentials_credential"))
    pair = {"public_key": f"{markers.PUBLIC}_2", "secret_key": markers.SECOND_KEY}
    taken(owner.post(f"{AT}/credentials/{key}/replace/", pair))


def set_a_webhook(world: World, owner: Visitor) -> None:
    """Refused addresses, one that is taken; its receiver breaks, quotes and leads elsewhere."""
    page, path = f"{AT}/team/notifications/", markers.WEBHOOK_PATH
    for wrong in (f"http://10.0.0.1{path}", f"https://h:22{path}", path):
        refused(owner.post(page, {"kind": "json", "url": wrong}))
    taken(owner.post(page, {"kind": "json", "url": f"http://127.0.0.1:{world.hook.port}{path}"}))
    shown = taken(owner.post(f"{page}signing/", kept=False)).text
    signing = re.search(r'id="signing-secret">(whsec_[^<]+)<', shown)[1]
    world.needles.add("signing secret", signing, signing.removeprefix("whsec_"))
    world.hook.answer(500, f"{path} {signing}".encode())
    world.hook.answer(302, Location=path)
    world.hook.answer(0)
    for _ in range(4):
        taken(owner.post(f"{page}test/"))
        owner.get(page)
