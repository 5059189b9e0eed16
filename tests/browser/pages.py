"""One installation with something on every page, and the list of the addresses that lead there."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dispersed_web.accounts.models import User
from dispersed_web.accounts.ssh_keys import parse_public_key
from dispersed_web.autostop.models import Hold, ObservedStop
from dispersed_web.clock import database_now
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import keeping as kept
from dispersed_web.jobs import market, sending, states, sweeps, sync
from dispersed_web.jobs.models import HistoryImport, Job, Preset, UnmanagedJob
from dispersed_web.notifications import links, outbox
from dispersed_web.notifications.models import ActLink, Delivery
from dispersed_web.notifications.notice import compose
from dispersed_web.sandbox.recipes import OWN
from dispersed_web.teams import api_tokens, invitations, ssh_keys
from dispersed_web.teams.models import Membership, Team
from tests import factories as make
from tests.security_key import give_security_key
from tests.web.recipe_scenes import BATCH, COMFY, add_version, make_recipe

KEY_PAGES = ("edit_webauthn", "remove_webauthn")
TABS = ("job", "job-logs", "job-activity", "job-events", "job-spec")
LONG = "A long title of a job that says everything there is to say about it, and then goes on for some more words"


@dataclass(frozen=True)
class Visit:
    """A page: ``who`` looks at it (empty: nobody is signed in), ``press`` is the button that leads from the address to
    it, ``status`` what the server answers, ``shows`` what a script puts there."""

    name: str
    path: str
    who: str = "ana"
    press: str = ""
    status: int = 200
    shows: str = "main"


class Installation:
    """A full team, an empty one, one whose credential fails, and somebody without any."""

    def __init__(self, sandbox: Any) -> None:
        self.now = timezone.now()
        self.people = {
            "ana": make.make_user("ana@example.org", "Ana Duarte", ssh_key=make.SSH_KEY),
            "bob": make.make_user("a.very.long.address@very-long-department.example.org"),
            "new": make.make_user("new@example.org", "Nina New"),
            "mia": make.make_user("mia@example.org", "Mia"),
            "kim": make.make_user("kim@example.org", "Kim", password=None),
            "root": make.make_user("root@example.org", "Root", is_site_admin=True),
        }
        for name in sweeps.NEEDED:
            sweeps.note_finished(name, self.now + dt.timedelta(minutes=10))
        self.team = self._full(sandbox)
        self.empty = make.make_team("Quantum Sensing Group of the Department", owner=self.ana, slug="quantum")
        self.stale = self._stale()
        self.strict = make.make_team("Strict lab", owner=self.ana, slug="strict", require_mfa=True)
        self.key = self._second_factors()
        self.jobs = self._jobs()
        self.links = self._notices()
        address = EmailAddress.objects.create(user=self.people["new"], email="newer@example.org")
        self.email_key = EmailConfirmationHMAC.create(address).key
        self.cookies = {name: self._session(user) for name, user in self.people.items()}

    @property
    def ana(self) -> User:
        return self.people["ana"]

    def _session(self, user: User) -> str:
        client = Client()
        make.sign_in(client, user)
        return client.cookies["sessionid"].value

    def _full(self, sandbox: Any) -> Team:
        team = make.make_team("Vision Lab", owner=self.ana, slug="a-lab", launches_frozen=False)
        make.make_member(team, "viewer", self.people["bob"])
        key = make.make_credential(team, sandbox, name="Lab account", last_used_at=self.now)
        market.refresh(key.pk, database_now)
        make.make_credential(
            team, name="Grant", state="broken", failure="Dispersed refuses the key: it was revoked."
        )
        make.make_credential(team, name="Old", state="disabled", expires_at=self.now + dt.timedelta(days=3))
        UnmanagedJob.objects.create(
            credential=key,
            remote_uuid="5f3e8f0e-1111-4222-8333-444455556666",
            title="Started in the console",
            task="PERSISTENT",
            status="RUNNING",
            gpu_label="RTX 4090",
            hourly_rate_usd=Decimal("0.4400"),
            first_seen_at=self.now - dt.timedelta(hours=2),
            seen_at=self.now,
        )
        make.make_secret(team, note="A token of the lab that may only read models")
        make.make_secret(team, "ghcr-login-of-the-whole-department", usable_by="admins", hosts=["ghcr.io"])
        api_tokens.create(
            team,
            self.ana,
            name="Nightly",
            scope="read",
            lifetime=dt.timedelta(days=9),
            actor=make.LAUNCHER,
            now=self.now,
        )
        api_tokens.create_service(
            team,
            name="Deploys of the models that everybody waits for",
            scope="operate",
            lifetime=dt.timedelta(days=90),
            actor=Actor.person(self.ana),
            now=self.now,
        )
        ssh_keys.add(
            team,
            parse_public_key(make.SSH_KEY),
            "Jump host",
            actor=Actor.person(self.ana),
            now=self.now,
        )
        self.credential = key
        self._at_the_cloud = self._launched(team, sandbox)
        return team

    def _launched(self, team: Team, sandbox: Any) -> Job:
        """A job that really runs on the simulated cloud, with a log and addresses to connect to."""
        spec = make.make_spec(
            title="Development Environment", env={"HF_TOKEN": "hidden-value", "MODE": "fast"}
        )
        job = make.make_job(
            team,
            "QUEUED",
            spec=spec,
            secret_env=frozenset({"HF_TOKEN"}),
            created_at=timezone.now(),
            credential=self.credential,
            notes="# Why\n\nTo try **the new** loader: [plan](https://example.org/plan).\n\n- seed 7\n- `bf16`",
        )
        names = ["loader", "sweep 3", "a-very-long-tag-that-nobody-would-type"]
        kept.set_tags(job, names, actor=make.LAUNCHER, now=self.now)
        kept.star(job, self.ana.pk)
        sending.send(job.pk, database_now)
        sandbox.control.advance(400)
        sync.sync(self.credential.pk, database_now)
        job.refresh_from_db()
        return job

    def _second_factors(self) -> Authenticator:
        """Mia has one of each kind, and has used most of her recovery codes."""
        mia = self.people["mia"]
        make.give_second_factor(mia)
        codes = RecoveryCodes.activate(mia).instance
        codes.data["used_mask"] = 0b11111111
        codes.save()
        return give_security_key(mia, "The blue key that hangs on the ring with all the others")

    def _stale(self) -> Team:
        team = make.make_team("Weather", owner=self.ana, slug="weather")
        make.make_credential(
            team,
            name="Weather key",
            listed_at=self.now - dt.timedelta(minutes=20),
            failures=3,
            failure="Dispersed cannot be reached.",
        )
        self.stale_job = make.make_job(team, title="Nowcast")
        return team

    def _jobs(self) -> dict[str, Job]:
        team, ago = self.team, lambda **back: self.now - dt.timedelta(**back)
        jobs = {
            status.value: make.make_job(
                team, status.value, title=f"Training run {number}", created_by=self.people["bob"]
            )
            for number, status in enumerate(states.Status)
        }
        jobs |= {
            "sent": self._at_the_cloud,
            "long": make.make_job(team, title=LONG, created_at=ago(days=3), quoted_usd=Decimal("0.41")),
            "stuck": make.make_job(team, title="Fine-tune Llama", stop_requested_at=ago(minutes=9)),
            "stopping": make.make_job(team, title="Render", stop_requested_at=ago(seconds=20)),
            "warned": make.make_job(team, title="Notebook", warned_at=ago(minutes=5)),
            "lost": make.make_job(
                team, title="Sweep 3", missing_since=ago(minutes=80), missing_alarmed_at=ago(minutes=69)
            ),
        } | self._leases(ago)
        for job in jobs.values():
            if job.remote_uuid and job.pk != self._at_the_cloud.pk:
                make.make_run(job)
            make.make_event(team, subject=job, sentence=f"{job.created_by} asked for “{job.title}”.")
            make.make_event(
                team, "job.stop_unconfirmed", job, "The stop is not confirmed after three minutes."
            )
        return jobs

    def _notices(self) -> dict[str, str]:
        """A webhook that failed, notices of several kinds, and the addresses of links in one of them."""
        why = "It answered 404: this webhook does not exist any more (no_service)."
        make.make_channel(self.team, last_error=why, last_failure_at=self.now, failures=1)
        Event.objects.filter(team=self.team).update(fanned_out_at=self.now)
        warned, long = self.jobs["warned"], self.jobs["long"]
        stop_at = (self.now + dt.timedelta(minutes=10)).isoformat()
        told = {"audience": "admins", "now": self.now - dt.timedelta(minutes=5)}
        data = {"stop_at": stop_at, "rule": "idle", "sentence": "Idle for 47 min of 60 min: GPU ≤ 1 %."}
        for kind, job in (("job.ended", long), ("job.stop_unconfirmed", long), ("job.called_off", warned)):
            make.make_event(self.team, kind, job, "It is as it is, and here stands why.", **told)
        warning = make.make_event(self.team, "job.warned", warned, data=data, **told)
        outbox.fan_out(self.now)
        sent = Delivery.objects.filter(event=warning)
        sent.filter(way="webhook").update(state="failed", attempts=1, error=why)
        sent.filter(way="email").update(state="sent", sent_at=self.now)
        mail = sent.select_related("event").filter(way="email", user=self.ana).get()
        made = links.make(mail, compose(warning), self.now)
        ActLink.objects.filter(delivery=mail, minutes=30).update(used_at=self.now)
        return {f"{one.act} {one.minutes or ''}".strip(): urlsplit(one.url).path for one in made}

    def _leases(self, ago: Any) -> dict[str, Job]:
        """A job in each state of auto-stop, and stops that wait for a decision."""

        def job(title: str, state: str, rule: str, confidence: str = "high", **fields: Any) -> Job:
            values = {"verdict_state": state, "verdict_rule": rule, "confidence": confidence}
            return make.make_job(self.team, title=title, **values | fields)

        quiet = {"quiet_since": ago(minutes=47), "idle_limit_now_s": 3600, "stop_at": ago(minutes=-13)}
        found = {
            "idle": job("Idle", "warned", "idle", warned_at=ago(minutes=2), **quiet),
            "asked": job(
                "Asked about", "warned", "checkin_unanswered", "low",
                warned_at=ago(minutes=8), stop_at=ago(minutes=-22),
            ),
            "dear": job(
                "Six GPUs", "warned", "rate", warned_at=ago(minutes=1), stop_at=ago(minutes=-4),
                rate_exceeded_at=ago(minutes=1), rate_cap_usd=Decimal("0.50"),
            ),
            "protected": job(
                "Demo", "protected", "idle", stop_at=ago(days=-2), protected_until=ago(days=-2),
                protected_reason="shown to visitors on Friday",
            ),
            "blind": job("Silent", "blind", "max_lifetime", blind_since=ago(minutes=7)),
            "observed": job("Observed", "observed", "max_lifetime", **quiet | {"quiet_since": ago(minutes=70)}),
        }  # fmt: skip
        held = [
            found["idle"],
            *(job(f"Held {n}", "due", "idle", warned_at=ago(minutes=20), **quiet) for n in range(2)),
        ]
        values = {"team": self.team, "kind": "many_due", "job_ids": [str(one.pk) for one in held]}
        sentence = "3 of 12 watched jobs would be stopped for idleness at once, so all of them are held."
        opened = ago(minutes=6)
        self.hold = Hold.objects.create(opened_at=opened, proven_since=opened, sentence=sentence, **values)
        self.decided = Hold.objects.create(
            opened_at=ago(days=1),
            sentence=sentence,
            decided_at=ago(hours=20),
            decision="keep",
            decided_by=self.ana,
            **values,
        )
        self._would_be_stops(found["observed"], ago)
        return found

    def _would_be_stops(self, job: Job, ago: Any) -> None:
        """Stops that were only observed, one of them wrongly, and one that was made."""
        for hours, again in ((1, None), (30, "GPU 88 %")):
            at = ago(hours=hours)
            used = {"used_again_at": at + dt.timedelta(hours=2), "used_again": again} if again else {}
            ObservedStop.objects.create(
                team=self.team,
                job=job,
                at=at,
                quiet_since=at - dt.timedelta(hours=1),
                sentence="Idle for 1 h of 1 h.",
                hourly_rate_usd=make.RATE_USD,
                **used,
            )
        make.make_job(self.team, "CANCELLED", title="Forgotten", reason="idle", ended_at=ago(hours=9))


def _signed_out(at: Installation) -> list[Visit]:
    reset = reverse(
        "account_reset_password_from_key",
        args=[user_pk_to_url_str(at.ana), default_token_generator.make_token(at.ana)],
    )
    used = reverse("account_reset_password_from_key", args=["1", "used-link"])
    names = ("account_inactive", "account_reset_password", "account_reset_password_done", "account_signup")
    return [
        Visit("sign in", reverse("account_login"), who=""),
        Visit("sign in, refused", reverse("account_login"), who="", press="Sign in"),
        Visit("reset", reset, who=""),
        Visit("confirm email", reverse("account_confirm_email", args=[at.email_key]), who=""),
        Visit("reset, used link", used, who=""),
        Visit("reset done", reverse("account_reset_password_from_key_done"), who=""),
        *(Visit(name.removeprefix("account_"), reverse(name), who="") for name in names),
        Visit("missing, signed out", "/nowhere/", who="", status=404),
        Visit("link, extend", at.links["extend 60"], who=""),
        Visit("link, stop", at.links["stop"], who=""),
        Visit("link, used", at.links["extend 30"], who="", status=410),
        Visit("link, unknown", "/do/unknown/", who="", status=404),
    ]


def _ones_own() -> list[Visit]:
    names = ("account_email", "account_email_verification_sent", "account_change_password", "account_logout")
    return [
        Visit("me, in no team", reverse("web:me"), who="new"),
        Visit("me, refused", reverse("web:me"), who="new", press="Add the key", status=422),
        Visit("no team", reverse("web:home"), who="new"),
        Visit("new team", reverse("web:team-new"), who="new"),
        Visit("new team, refused", reverse("web:team-new"), who="new", press="Make the team", status=422),
        *(Visit(name.removeprefix("account_"), reverse(name), who="new") for name in names),
        Visit("reauthenticate", reverse("account_reauthenticate"), who="new"),
        Visit("email, refused", reverse("account_email"), who="new", press="Send the link"),
        Visit("sessions", reverse("usersessions_list")),
        Visit("sessions, none noted yet", reverse("usersessions_list"), who="new"),
    ]


def _second_factors(at: Installation) -> list[Visit]:
    plain = ("index", "deactivate_totp", "add_webauthn", "generate_recovery_codes")
    confirming = ("mfa_reauthenticate", "mfa_reauthenticate_webauthn")
    activate = reverse("mfa_activate_totp")
    return [
        Visit("second factor, none", reverse("mfa_index")),
        Visit("app", activate),
        Visit("app, refused", activate, press="Set up the app", status=422),
        *(Visit(name, reverse(f"mfa_{name}"), who="mia") for name in plain),
        *(Visit(name, reverse(f"mfa_{name}", args=[at.key.pk]), who="mia") for name in KEY_PAGES),
        *(Visit(name, reverse(name), who="mia") for name in confirming),
        Visit("confirm, refused", reverse("mfa_reauthenticate"), who="mia", press="Go on"),
        Visit("confirm, no way", reverse("account_reauthenticate"), who="kim"),
        Visit("codes", reverse("mfa_generate_recovery_codes"), who="mia", press="Make new codes"),
        Visit("closed team", reverse("web:team-home", args=[at.strict.slug]), status=403),
    ]


def _setup(at: Installation) -> list[Visit]:
    pages = ("setup-credential", "setup-notices", "setup-launch")
    return [
        Visit("setup-team", reverse("web:setup-team"), who="new"),
        Visit("setup-team, refused", reverse("web:setup-team"), who="new", press="Make the team", status=422),
        *(Visit(name, reverse(f"web:{name}", args=[at.team.slug])) for name in pages),
        *(Visit(f"{name}, first", reverse(f"web:{name}", args=[at.empty.slug])) for name in pages),
    ]


def _teams(at: Installation) -> list[Visit]:
    seat = Membership.objects.get(team=at.team, user=at.people["bob"])
    full = [
        Visit(name, reverse(f"web:{name}", args=[at.team.slug]))
        for name in ("team-home", "team", "team-events", "team-limits", "team-notices")
    ]
    return [
        *(
            Visit(f"{name}, viewer", reverse(f"web:{name}", args=[at.team.slug]), who="bob")
            for name in ("team", "jobs")
        ),
        Visit("forbidden", reverse("web:launch", args=[at.team.slug]), who="bob", status=403),
        *full,
        Visit("member", reverse("web:team-member", args=[at.team.slug, seat.pk])),
        Visit("team-events, as a viewer", reverse("web:team-events", args=[at.team.slug]), who="bob"),
        Visit(
            "team-events, none fits", reverse("web:team-events", args=[at.team.slug]) + "?q=nosuchword&from=x"
        ),
        Visit("me-security", reverse("web:me-security")),
        Visit("me-security, empty", reverse("web:me-security"), who="new"),
        Visit("me", reverse("web:me")),
        Visit("inbox", reverse("web:inbox")),
        Visit("inbox, unread", reverse("web:inbox") + "?show=unread"),
        Visit("inbox, empty", reverse("web:inbox"), who="new"),
        Visit("team-tokens", reverse("web:team-tokens", args=[at.team.slug])),
        Visit("team-tokens, none", reverse("web:team-tokens", args=[at.empty.slug])),
        Visit(
            "team-token-revoke",
            reverse(
                "web:team-token-revoke", args=[at.team.slug, at.team.api_tokens.get(user__is_service=True).pk]
            ),
        ),
        Visit("team-notices, none", reverse("web:team-notices", args=[at.empty.slug])),
        Visit(
            "team-notices, refused",
            reverse("web:team-notices", args=[at.empty.slug]),
            press="Store the webhook",
            status=422,
        ),
        Visit("me-ssh-key-one", reverse("web:me-ssh-key-one", args=[at.ana.ssh_keys.get().pk])),
        Visit("team-ssh-key", reverse("web:team-ssh-key", args=[at.team.slug, at.team.ssh_keys.get().pk])),
        Visit("me, calendar", reverse("web:me"), press="Make a private address"),
        Visit("api docs", reverse("api:docs"), shows=".opblock"),
        Visit("missing", reverse("web:team-home", args=["not-mine"]), status=404),
        Visit("team-home, empty", reverse("web:team-home", args=[at.empty.slug])),
        Visit("team, empty", reverse("web:team", args=[at.empty.slug])),
        Visit("team-home, stale", reverse("web:team-home", args=[at.stale.slug])),
    ]


def _credentials(at: Installation) -> list[Visit]:
    broken = at.team.credentials.get(name="Grant")
    add = reverse("web:credential-add", args=[at.team.slug])

    def one(name: str) -> str:
        return reverse(f"web:{name}", args=[at.team.slug, at.credential.pk])

    return [
        Visit("credential-add", add),
        Visit("credential-add, refused", add, press="Test and add", status=422),
        Visit("credential", reverse("web:credential", args=[at.team.slug, at.credential.pk])),
        Visit("credential, broken", reverse("web:credential", args=[at.team.slug, broken.pk])),
        Visit("credential-replace", reverse("web:credential-replace", args=[at.team.slug, broken.pk])),
        Visit("credentials", reverse("web:credentials", args=[at.team.slug])),
        Visit("credentials, viewer", reverse("web:credentials", args=[at.team.slug]), who="bob"),
        Visit("credentials, empty", reverse("web:credentials", args=[at.empty.slug])),
        *_secrets(at),
        Visit("credential-use", one("credential-use")),
        Visit("credential-caps", one("credential-caps")),
        Visit("credential-disable", one("credential-disable")),
        Visit("credential-delete, not now", one("credential-delete")),
        Visit("credential-delete", reverse("web:credential-delete", args=[at.team.slug, broken.pk])),
    ]


def _secrets(at: Installation) -> list[Visit]:
    listed, add = (reverse(f"web:{name}", args=[at.team.slug]) for name in ("secrets", "secret-add"))
    secret = at.team.secrets.get(name="hf-token")
    return [
        Visit("secrets", listed),
        Visit("secrets, viewer", listed, who="bob"),
        Visit("secrets, empty", reverse("web:secrets", args=[at.empty.slug])),
        Visit("secret-add", add),
        Visit("secret-add, refused", add, press="Add the secret", status=422),
        Visit("secret", reverse("web:secret", args=[at.team.slug, secret.pk])),
        Visit("secret-remove", reverse("web:secret-remove", args=[at.team.slug, secret.pk])),
    ]


def _autostop(at: Installation) -> list[Visit]:
    page, change = (reverse(f"web:{name}", args=[at.team.slug]) for name in ("autostop", "autostop-change"))
    running, ended = (
        reverse("web:job-choices", args=[at.team.slug, at.jobs[name].pk]) for name in ("long", "COMPLETED")
    )
    return [
        Visit("autostop", page),
        Visit("autostop, viewer", page, who="bob"),
        Visit("autostop, empty", reverse("web:autostop", args=[at.empty.slug])),
        Visit("autostop-change", change),
        Visit("autostop-change, tried", change, press="Try it on the last 30 days"),
        Visit("job-choices", running),
        Visit("job-choices, ended", ended),
    ]


def _jobs(at: Installation) -> list[Visit]:
    slug, table = at.team.slug, reverse("web:jobs", args=[at.team.slug])
    chosen = "&".join(f"job={at.jobs[name].pk}" for name in ("RUNNING", "stuck", "long"))

    def page(job: Job, name: str = "job", *more: str) -> str:
        return reverse(f"web:{name}", args=[job.team.slug, job.pk, *more])

    overviews = ("QUEUED", "PENDING", "PREPARING", "RUNNING", "UNCONFIRMED", "FAILED", "COMPLETED")
    return [
        Visit("jobs", table),
        Visit("jobs, all", f"{table}?show=all"),
        Visit("jobs, attention", f"{table}?show=attention"),
        Visit("jobs, no match", f"{table}?q=nothing-like-it"),
        Visit("jobs, empty", reverse("web:jobs", args=[at.empty.slug])),
        Visit("jobs, stale", reverse("web:jobs", args=[at.stale.slug])),
        Visit("job, stale", page(at.stale_job)),
        *(
            Visit(f"jobs-ask {act}", reverse("web:jobs-ask", args=[slug, act]) + f"?{chosen}")
            for act in ("stop", "extend", "in-use")
        ),
        *_holds(at),
        *(Visit(f"{name}, sent", page(at.jobs["sent"], name)) for name in TABS),
        *(Visit(f"job, {name.lower()}", page(at.jobs[name])) for name in overviews),
        *(Visit(f"job, {name}", page(at.jobs[name])) for name in ("stuck", "warned", "lost", "long")),
        Visit("job, viewer", page(at.jobs["sent"]), who="bob"),
        Visit("job, connection", page(at.jobs["sent"]) + "?connect=open"),
        *(Visit(name, page(at.jobs["sent"], name)) for name in ("job-rename", "job-hand-over", "job-notes")),
        Visit("job-logs, none", page(at.jobs["PENDING"], "job-logs")),
        Visit("job-logs, trouble", page(at.jobs["long"], "job-logs")),
        *(Visit(f"job-ask {act}", page(at.jobs["long"], "job-ask", act)) for act in ("stop", "extend")),
        Visit("job-ask in-use", page(at.jobs["asked"], "job-ask", "in-use")),
        Visit("job-ask price", page(at.jobs["dear"], "job-ask", "price")),
        *(Visit(name, page(at.jobs["long"], name)) for name in ("job-protect", "job-unprotect")),
        Visit("job-settle", page(at.jobs["lost"], "job-settle")),
        Visit("job-settle, not needed", page(at.jobs["long"], "job-settle")),
        Visit("job-ask again, unconfirmed", page(at.jobs["UNCONFIRMED"], "job-ask", "again")),
    ]


def _holds(at: Installation) -> list[Visit]:
    def page(hold: Hold, name: str = "hold", *more: str) -> str:
        return reverse(f"web:{name}", args=[at.team.slug, hold.pk, *more])

    return [
        Visit("hold", page(at.hold)),
        Visit("hold, viewer", page(at.hold), who="bob"),
        Visit("hold, decided", page(at.decided)),
        *(Visit(f"hold-ask {word}", page(at.hold, "hold-ask", word)) for word in ("stop", "keep")),
    ]


def _launches(at: Installation) -> list[Visit]:
    form = reverse("web:launch", args=[at.team.slug])
    pictures = make_recipe(at.team, at.ana, "Pictures")
    recipe = reverse("web:recipe-launch", args=[at.team.slug, pictures.pk])
    Preset.objects.create(user=at.ana, team=at.team, name="My box", is_usual=True)
    Preset.objects.create(user=at.ana, team=at.team, name=LONG[:60], recipe=pictures)
    return [
        Visit("launch", form),
        Visit("launch, refused", form, press="Launch", status=422),
        Visit("launch, again", f"{form}?again={at.jobs['sent'].pk}"),
        Visit("launch, no credential", reverse("web:launch", args=[at.empty.slug])),
        Visit("launch, link", f"{form}?title=From+a+link&nonsense=1&min_vram_gb=20"),
        Visit("recipe-launch", recipe),
        Visit(
            "recipe-launch, refused",
            f"{recipe}?supersedes={at.jobs['UNCONFIRMED'].pk}",
            press="Launch",
            status=422,
        ),
        Visit("presets", reverse("web:presets", args=[at.team.slug])),
        Visit("presets, none", reverse("web:presets", args=[at.empty.slug])),
    ]


def _recipes(at: Installation) -> list[Visit]:
    ana, team = at.ana, at.team
    full = make_recipe(team, ana, launches=3, launched_at=at.now)
    add_version(
        full, {**COMFY, "tags": ["other"]}, "What changed between the one and the other, in some more words"
    )
    make.make_job(team, title="Storyboard", recipe_version=full.current, created_by=ana)
    old = make_recipe(
        team, None, LONG[:80], BATCH, source="starter:old", archived_at=at.now, description_md=""
    )

    def page(name: str, *more: Any) -> str:
        return reverse(f"web:{name}", args=[team.slug, *more])

    gallery, new, load = page("recipes"), page("recipe-new"), page("recipe-import")
    return [
        Visit("recipes", gallery),
        Visit("recipes, archived", f"{gallery}?archived=yes"),
        Visit("recipes, no match", f"{gallery}?q=nothing-like-it"),
        Visit("recipes, empty", reverse("web:recipes", args=[at.empty.slug])),
        Visit("recipe", page("recipe", full.pk)),
        Visit("recipe, old version", page("recipe", full.pk) + "?v=1"),
        Visit("recipe, archived", page("recipe", old.pk)),
        Visit("recipe-versions", page("recipe-versions", full.pk)),
        Visit("recipe-versions, one", page("recipe-versions", old.pk)),
        Visit("recipe-edit", page("recipe-edit", full.pk)),
        Visit("recipe-edit, as text", page("recipe-edit", full.pk), press="As YAML"),
        Visit("recipe-hand-over", page("recipe-hand-over", full.pk)),
        Visit("recipe-new", new),
        Visit("recipe-new, refused", new, press="Make the recipe", status=422),
        Visit("recipe-from-job", page("recipe-from-job", at.jobs["sent"].pk)),
        Visit("recipe-import", load),
        Visit("recipe-import, refused", load, press="See what is in it", status=422),
        Visit("recipes, viewer", gallery, who="bob"),
        Visit("recipe, viewer", page("recipe", full.pk), who="bob"),
    ]


def _cloud_recipes(at: Installation) -> list[Visit]:
    """The cloud's own recipes, with a credential that works, one that does not, and none."""

    def page(name: str, *more: str, team: Team = at.team, **query: Any) -> str:
        return reverse(f"web:{name}", args=[team.slug, *more], query=query)

    broken = at.team.credentials.get(name="Grant")
    mine, archived = (recipe["uuid"] for recipe in OWN)
    return [
        Visit("cloud-recipes", page("cloud-recipes")),
        Visit("cloud-recipes, no match", page("cloud-recipes", q="nothing-like-it")),
        Visit("cloud-recipes, broken key", page("cloud-recipes", credential=broken.pk)),
        Visit("cloud-recipes, no key", page("cloud-recipes", team=at.empty)),
        Visit("cloud-recipes, viewer", page("cloud-recipes"), who="bob"),
        Visit("cloud-recipe", page("cloud-recipe", mine)),
        Visit("cloud-recipe, archived", page("cloud-recipe", archived)),
        Visit("cloud-recipe, gone", page("cloud-recipe", "01a0ffff"), status=404),
        Visit("launch, cooked", page("launch", cook=mine, credential=at.credential.pk)),
        Visit("launch, cooked and gone", page("launch", cook="01a0ffff")),
    ]


# The pages in parts that may be read at the same time; the person who reads changes seldom in each.
def _inventory(at: Installation) -> list[Visit]:
    slug, page = at.team.slug, reverse("web:inventory", args=[at.team.slug])
    row = UnmanagedJob.objects.filter(credential__team=at.team).earliest("pk")
    values = {"credential": at.credential, "first_seen_at": at.now, "seen_at": at.now, "status": "RUNNING"}
    others = {
        source: UnmanagedJob.objects.create(remote_uuid=f"{source}-1", title=LONG, source=source, **values)
        for source in UnmanagedJob.Source.values
    }
    UnmanagedJob.objects.create(remote_uuid="ignored-1", title="Ignored", ignored_at=at.now, **values)
    HistoryImport.objects.create(
        credential=at.credential, since=at.now, seen=150, brought_in=149, next_page=4
    )
    return [
        Visit("inventory", page),
        Visit("inventory, viewer", page, who="bob"),
        Visit("inventory, no match", f"{page}?q=nothing-like-it"),
        Visit("inventory, empty", reverse("web:inventory", args=[at.empty.slug])),
        *(
            Visit(name, reverse(f"web:{name}", args=[slug, row.pk]))
            for name in ("inventory-adopt", "inventory-stop")
        ),
        *(
            Visit(f"inventory-stop, {source}", reverse("web:inventory-stop", args=[slug, others[source].pk]))
            for source in ("installation", "team")
        ),
        Visit(
            "inventory-stop, refused",
            reverse("web:inventory-stop", args=[slug, others["installation"].pk]),
            press="Stop the job",
            status=422,
        ),
        Visit("credential, history", reverse("web:credential", args=[slug, at.credential.pk])),
    ]


def _members(at: Installation) -> list[Visit]:
    """Who belongs to a team and who is invited, its settings and its end, and the installation from outside."""
    slug, bob = at.team.slug, at.people["bob"]
    seat = Membership.objects.get(team=at.team, user=bob)
    job = make.make_job(at.team, title=LONG, created_by=bob, owner=bob)
    ana = Actor.person(at.ana)
    address = "a.rather.long.name@very-long-department.example.org"
    made, _ = invitations.invite(at.team, address, "admin", by_mail=True, actor=ana, now=at.now)
    _, token = invitations.invite(at.team, "new@example.org", "viewer", by_mail=False, actor=ana, now=at.now)

    def page(name: str, *more: Any) -> str:
        return reverse(f"web:{name}", args=[slug, *more])

    def site(name: str, *more: Any) -> str:
        return reverse(f"web:{name}", args=[at.team.pk, *more])

    link = reverse("web:join-link", args=[token])
    return [
        Visit("team, with invitations", page("team")),
        Visit("team-invite", page("team-invite")),
        Visit("team-invite, refused", page("team-invite"), press="Invite", status=422),
        Visit("team-invitation", page("team-invitation", made.pk)),
        Visit("team-member-remove", page("team-member-remove", seat.pk)),
        Visit(
            "team-member-remove, refused",
            page("team-member-remove", seat.pk),
            press="Remove from the team",
            status=422,
        ),
        Visit("team-settings", page("team-settings")),
        Visit("team-settings, viewer", page("team-settings"), who="bob"),
        Visit("team-leave", page("team-leave")),
        Visit("team-leave, viewer", page("team-leave"), who="bob"),
        Visit("team-delete", page("team-delete")),
        Visit("join-link", link, who=""),
        Visit("join-link, another address", link, who="bob"),
        Visit("join-link, the right one", link, who="new"),
        Visit("join", reverse("web:join"), who="new"),
        Visit("join, void", reverse("web:join-link", args=["nonsense"]), who="", status=404),
        Visit("site", reverse("web:site"), who="root"),
        Visit("site-team", site("site-team"), who="root"),
        Visit("site-team, empty", reverse("web:site-team", args=[at.empty.pk]), who="root"),
        Visit("site-stop", site("site-stop", job.pk), who="root"),
        Visit("site-stop, refused", site("site-stop", job.pk), who="root", press="Stop the job", status=422),
        Visit("site-remove", site("site-remove", seat.pk), who="root"),
    ]


SECTIONS = {
    "people": lambda at: [*_signed_out(at), *_ones_own(), *_teams(at), *_credentials(at), *_autostop(at)],
    "members": _members,
    "security": lambda at: [*_second_factors(at), *_setup(at)],
    "jobs": lambda at: [*_jobs(at), *_launches(at)],
    "inventory": _inventory,
    "recipes": lambda at: [*_recipes(at), *_cloud_recipes(at)],
}
