"""All that came out of a running product and all that it left, searched; and that the search finds what is planted."""

from __future__ import annotations

import base64
import contextlib
import re
import smtplib
import subprocess
import sys
from collections.abc import Iterator

import httpx
import redis
from django.contrib.sessions.serializers import JSONSerializer
from django.core import signing

from dispersed_web.supervisor import broker
from tests.canaries import markers, processes
from tests.canaries.outside import AT, World
from tests.canaries.searching import Needles
from tests.waiting import eventually

PLANTED = "Zz1planted & nowhere+else=8c2f"
HOST = "zz1planted-as-a-host.example"  # which is refused, and named in the log


def evidence(world: World, ear: processes.Ear) -> Iterator[tuple[str, str]]:
    """The code of the first start is printed on purpose."""
    yield "printed", re.sub(r"with the code \S+", "", world.product.text())
    yield "said to the broker", ear.text()
    yield from processes.in_broker(world.product)
    yield from processes.in_database(world.product.data / "db.sqlite3", markers.DJANGO_KEY)
    yield from processes.in_processes(world.product)
    yield from processes.in_data(world.product)
    yield from (("mail", text) for text in world.mails.mails)
    yield from (("webhook", f"{headers}\n{body.decode()}") for _, headers, body in world.hook.requests)
    yield from world.pieces


def searched(world: World, ear: processes.Ear) -> None:
    found = list(evidence(world, ear))
    leaks = world.needles.find(allowed_out(found))
    leaks += world.links.find(
        piece for piece in found if piece[0] not in ("mail", "webhook") and "/account/" not in piece[0]
    )
    database = ("file db.sqlite3", "file db.sqlite3-wal")
    quoted = Needles(quoted=markers.OTHER_KEY)  # by a trigger in the database
    leaks += quoted.find(piece for piece in found if piece[0] not in database)
    own = (*processes.SESSION_COLUMNS, *database)
    leaks += world.sessions().find(piece for piece in found if piece[0] not in own)
    assert not leaks, "\n".join(leaks)


def allowed_out(found: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Without what the operator gave to the product's own processes by variables."""
    given = ("DW_EMAIL_PASSWORD=", "DW_OIDC_CLIENT_SECRET=")
    own = {f"environ of {name}" for name in ("supervisor", "web", "worker", "beat", "reconcile")}
    for where, text in found:
        lines = [line for line in text.split("\n") if where not in own or not line.startswith(given)]
        yield where, "\n".join(lines)


def is_found_wherever_it_is_planted(world: World, ear: processes.Ear) -> None:
    needles = Needles(planted=PLANTED, host=HOST)
    world.pieces.clear()
    before = needles.find(evidence(world, ear))
    assert not before, before
    with planted(world):
        places = {leak.partition(": ")[0] for leak in needles.find(evidence(world, ear))}
    wanted = {"said to the broker", "broker b'planted'", "teams_team.name", "session", "file planted"}
    wanted |= {"mail", "webhook", f"GET {AT}/team/settings/ 200", "printed", "file db.sqlite3-wal"}
    assert wanted <= places, wanted - places
    assert {"cmdline", "environ"} <= {place.partition(" of ")[0] for place in places}, places


@contextlib.contextmanager
def planted(world: World) -> Iterator[None]:
    """In every kind of place, in several ways of writing it."""
    text = base64.b64encode(f"and {PLANTED}".encode())
    with redis.Redis(unix_socket_path=str(broker.socket_path(world.product.data))) as client:
        client.set("planted", text)
    world.sql("UPDATE teams_team SET name = ?", PLANTED)
    (world.product.data / "planted").write_bytes(PLANTED.encode().hex().encode())
    httpx.get(f"{world.url}/", headers={"Host": HOST}, trust_env=False)
    eventually(lambda: HOST in world.product.text(), "the odd host is logged")
    world.people["owner"].get(f"{AT}/team/settings/")
    session = signing.dumps({"at": PLANTED}, markers.DJANGO_KEY, processes.SESSION_SALT, JSONSerializer, True)
    world.sql("UPDATE django_session SET session_data = ? WHERE rowid = 1", session)
    with smtplib.SMTP("127.0.0.1", world.mails.port) as line:
        line.sendmail("a@example.org", "b@example.org", b"Subject: x\r\n\r\n+" + text)
    httpx.post(f"http://127.0.0.1:{world.hook.port}/", json={"text": PLANTED}, trust_env=False)
    waits = [sys.executable, "-c", "import sys; sys.stdin.read()", str(world.product.data)]
    given = {"DW_DATA_DIR": str(world.product.data), "PLANTED": PLANTED}
    child = subprocess.Popen(
        [*waits, f"--planted={PLANTED}"], env=given, stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        yield
    finally:
        child.communicate()
