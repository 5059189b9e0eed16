"""Two teams with one of everything that an address can name, everybody who might ask, and a cloud that keeps a ledger."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.test import Client
from django.utils import timezone

from dispersed_web.accounts.models import User
from dispersed_web.accounts.ssh_keys import parse_public_key
from dispersed_web.autostop.models import Hold
from dispersed_web.clock import database_now
from dispersed_web.events.models import Audience
from dispersed_web.events.record import Actor
from dispersed_web.jobs import market, sending, sweeps, sync
from dispersed_web.jobs.models import CalendarFeed, Job, Preset, UnmanagedJob
from dispersed_web.notifications import outbox
from dispersed_web.notifications.models import Delivery
from dispersed_web.sandbox.recipes import OWN
from dispersed_web.teams import ssh_keys
from dispersed_web.teams.models import ApiToken, Invitation, Membership
from tests import factories as make
from tests.api.caller import make_token
from tests.crawl.table import ROLES
from tests.web.recipe_scenes import make_recipe

WORD = {"a": "Alpha", "b": "Bravo"}


class Side:
    """One team: a person of each role, and one of everything. ``word`` stands in every text of it, so that a page which
    shows any of another team is found out."""

    def __init__(self, letter: str, sandbox: Any) -> None:
        self.word = WORD[letter]
        self.team = make.make_team(
            self.word, owner=self._person(letter, "owner"), slug=f"team-{letter}", launches_frozen=False
        )
        self.people = {"owner": make.owner_of(self.team)}
        for role in ROLES[:-1]:
            self.people[role] = make.make_member(self.team, role, self._person(letter, role))
        self.other = make.make_member(self.team, "member", self._person(letter, "colleague"))
        self.credential = make.make_credential(self.team, sandbox, name=f"{self.word} key")
        self.secret = make.make_secret(self.team, f"{self.word}-secret")
        self.job = self._running(sandbox)
        self.run = self.job.runs.get()
        self._around()
        self.own = {person.pk: self._own(person) for person in (*self.people.values(), self.other)}

    def _person(self, letter: str, role: str) -> User:
        return make.make_user(f"{role}@{letter}.example.org", f"{self.word} {role}", ssh_key=make.SSH_KEY)

    def _running(self, sandbox: Any) -> Job:
        """A machine that really runs at the simulated cloud, in the name of somebody who is no actor of the crawl."""
        job = make.make_job(
            self.team,
            "QUEUED",
            spec=make.make_spec(title=f"{self.word} job"),
            created_at=timezone.now(),
            credential=self.credential,
            created_by=self.people["member"],
            notes=f"{self.word} notes",
        )
        sending.send(job.pk, database_now)
        sandbox.control.advance(400)
        sync.sync(self.credential.pk, database_now)
        market.refresh(self.credential.pk, database_now)
        job.refresh_from_db()
        assert job.status == "RUNNING"
        return job

    def _around(self) -> None:
        owner, now = self.people["owner"], timezone.now()
        self.recipe = make_recipe(self.team, self.people["member"], name=f"{self.word} recipe")
        self.row = UnmanagedJob.objects.create(
            credential=self.credential,
            remote_uuid=str(uuid.uuid4()),
            title=f"{self.word} stranger",
            task="PERSISTENT",
            status="RUNNING",
            first_seen_at=now,
            seen_at=now,
        )
        self.key = ssh_keys.add(
            self.team,
            parse_public_key(make.SSH_KEY),
            f"{self.word} jump host",
            actor=Actor.person(owner),
            now=now,
        )
        self.hold = Hold.objects.create(
            team=self.team, kind="many_due", opened_at=now, sentence="Held.", job_ids=[str(self.job.pk)]
        )
        make.make_channel(self.team)
        make_token(self.team, self.other, name=f"{self.word} token")
        self.token = ApiToken.objects.get(team=self.team, name=f"{self.word} token")
        self.invitation = Invitation.objects.create(
            team=self.team,
            email=f"guest@{self.word.lower()}.example.net",
            role="member",
            digest=uuid.uuid4().hex,
            invited_by=owner,
            expires_at=now + dt.timedelta(days=1),
        )
        self.membership = Membership.objects.get(team=self.team, user=self.other)

    def _own(self, person: User) -> dict[str, Any]:
        """What belongs to one person: nobody else reaches it, not even the team's owner."""
        make.make_event(
            self.team,
            "credential.broken",
            self.credential,
            f"{self.word} credential is broken.",
            audience=Audience.ADMINS,
            data={"concerns": [person.pk]},
        )
        outbox.fan_out(timezone.now())
        token = ApiToken.objects.create(
            team=self.team,
            user=person,
            name=f"{person} token",
            digest=uuid.uuid4().hex,
            prefix="dwp_abcd",
            scope="read",
            expires_at=timezone.now() + dt.timedelta(days=9),
        )
        own = {
            "preset_id": Preset.objects.create(user=person, team=self.team, name=f"{self.word} preset").pk,
            "ssh_key_id": person.ssh_keys.get().pk,
            "notice_id": Delivery.objects.filter(user=person, way="inbox").latest("pk").pk,
            "own_token_id": token.pk,
        }
        if Membership.objects.get(team=self.team, user=person).role != "viewer":
            own["recipe_id"] = make_recipe(self.team, person, name=f"{self.word} recipe of {person.pk}").pk
        return own

    def names(self, route: str, own: dict[str, Any] | None = None) -> dict[str, Any]:
        """What fills the gaps of an address of this side, by the gaps' names; ``own`` is what belongs to who asks, or
        else to the owner."""
        own = self.own[self.people["owner"].pk] if own is None else own
        found = {
            "slug": self.team.slug,
            "job_id": self.job.pk,
            "recipe_id": self.recipe.pk,
            "number": 1,
            "credential_id": self.credential.pk,
            "secret_id": self.secret.pk,
            "membership_id": self.membership.pk,
            "token_id": self.token.pk,
            "key_id": self.key.pk,
            "row_id": self.row.pk,
            "hold_id": self.hold.pk,
            "team_id": self.team.pk,
            "invitation_id": self.invitation.pk,
            "run_id": self.run.pk,
            "recipe_uuid": OWN[0]["uuid"],
            "decision": "keep",
            "act": "stop",
            **own,
        }
        if route.startswith("web:me-ssh-key"):
            found["key_id"] = found.get("ssh_key_id")
        if route == "web:me-token-revoke":
            found["token_id"] = found.get("own_token_id")
        return found


class World:
    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        self.a, self.b = Side("a", sandbox), Side("b", sandbox)
        self.removed = make.make_member(self.a.team, "admin", make.make_user("removed@a.example.org"))
        self.site_admin = make.make_user("site@example.org", is_site_admin=True)
        self.clients = {name: self._browser(person) for name, person in self._people().items()}
        Membership.objects.filter(user=self.removed).delete()
        for name in sweeps.NEEDED:
            sweeps.note_finished(name, timezone.now())
        self.feed = CalendarFeed.objects.create(user=self.a.people["owner"], token_digest="0" * 64)

    def _people(self) -> dict[str, User | None]:
        found: dict[str, User | None] = {"anonymous": None}
        for letter, side in (("a", self.a), ("b", self.b)):
            found |= {f"{letter}.{role}": side.people[role] for role in ROLES}
        return found | {"removed": self.removed, "site_admin": self.site_admin}

    def person(self, actor: str) -> User | None:
        return self._people()[actor]

    def own(self, actor: str) -> dict[str, Any] | None:
        """What belongs to the actor alone; ``None`` for one who has nothing of the kind."""
        person = self.person(actor)
        return (self.a.own | self.b.own).get(person.pk) if person else None

    def _browser(self, person: User | None) -> Client:
        client = Client(raise_request_exception=False)
        if person is not None:
            make.sign_in(client, person)
        return client

    def tokens(self) -> dict[str, str]:
        """The text of a token of each kind, by its name."""
        made = {"none": ""}
        for role in ROLES:
            person = self.a.people[role]
            for scope in ("read", "operate", "admin"):
                Membership.objects.filter(user=person).update(role="owner")
                made[f"{role}.{scope}"] = make_token(self.a.team, person, scope=scope)
                Membership.objects.filter(user=person).update(role=role)
        for name in ("expired", "revoked", "removed"):
            member = make.make_member(self.a.team, "owner", make.make_user(f"{name}.token@a.example.org"))
            made[name] = make_token(self.a.team, member, scope="admin", name=name)
        ApiToken.objects.filter(name="expired").update(expires_at=timezone.now() - dt.timedelta(seconds=1))
        ApiToken.objects.filter(name="revoked").update(revoked_at=timezone.now())
        Membership.objects.filter(user__email="removed.token@a.example.org").delete()
        made["foreign"] = make_token(self.b.team, self.b.people["owner"], scope="admin")
        return made
