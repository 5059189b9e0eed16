"""Who may ask what of which address: one table. An address that it does not list fails the crawl.

``GET viewer, POST admin`` reads: members of any role may look, admins and owners may act; every other method is refused.
``anyone``: also without signing in. ``reader``: whoever is signed in, for what is theirs. ``nobody``: the address exists
in a library and is closed here. ``site``: whoever runs the installation.
A row may end in ``; writes TABLE …``: what a look may store, because it is a cache and tells nobody anything, or the note in
the audit log that somebody took a file.
"""

from __future__ import annotations

from dataclasses import dataclass

ROLES = ("viewer", "member", "admin", "owner")
WORDS = (*ROLES, "anyone", "reader", "nobody", "site")


@dataclass(frozen=True)
class Rule:
    """``who`` may, by method; HEAD goes with GET. ``caches`` are the tables that a look may write to."""

    who: dict[str, str]
    caches: frozenset[str]

    def of(self, method: str) -> str | None:
        """Who may call with this method; ``None`` where it is not offered."""
        return self.who.get("GET" if method == "HEAD" else method)


def rule(line: str) -> Rule:
    methods, _, caches = line.partition("; writes ")
    who = dict(part.split() for part in methods.split(", "))
    assert set(who.values()) <= set(WORDS), line
    return Rule(who, frozenset(caches.split()))


def _rules(text: str) -> dict[str, Rule]:
    rows = (line.split(None, 1) for line in text.strip().splitlines() if not line.startswith("#"))
    return {name: rule(line.strip()) for name, line in rows}


# The pages -----------------------------------------------------------------------------------------------------------

PAGES = _rules("""
heartbeat POST anyone
heartbeat-keep POST anyone
heartbeat-script GET anyone
web:healthz GET anyone
web:healthz-sweep GET anyone
web:readyz GET anyone
web:act-link GET anyone, POST anyone
web:calendar-feed GET anyone
web:home GET reader
web:team-new GET reader, POST reader
web:me GET reader, POST reader
web:me-security GET reader
web:me-notices POST reader
web:inbox GET reader
web:inbox-read-all POST reader
web:inbox-open POST reader
web:inbox-read POST reader
web:me-ssh-key POST reader
web:me-ssh-key-one GET reader, POST reader
web:me-ssh-key-default POST reader
web:me-ssh-key-remove POST reader
web:me-calendar POST reader
web:me-calendar-off POST reader
web:me-tokens POST reader
web:me-token-revoke POST reader
web:setup GET nobody, POST nobody
web:setup-team GET reader, POST reader
web:setup-credential GET admin, POST admin
web:setup-notices GET admin, POST admin
web:setup-mail POST admin
web:setup-launch GET member, POST member
web:first-steps-hide POST reader
web:credential-caps GET admin, POST admin
web:credential-delete GET admin, POST admin
web:credential-use GET admin, POST admin
web:secrets GET viewer
web:secret-add GET admin, POST admin
web:secret GET admin, POST admin
web:secret-remove GET admin, POST admin
web:credentials GET viewer
web:join GET anyone
web:join-accept POST reader
web:join-decline POST anyone
web:join-link GET anyone
web:site GET site
web:site-remove GET site, POST site
web:site-stop GET site, POST site
web:site-team GET site
web:team-delete GET owner, POST owner
web:team-factor-announce POST admin
web:team-factor-rule POST admin
web:team-invitation GET admin
web:team-invitation-again POST admin
web:team-invitation-withdraw POST admin
web:team-invite GET admin, POST admin
web:team-open-first POST viewer
web:team-rename POST admin
web:team-settings GET viewer
web:team-home GET viewer
web:banners GET viewer
web:recipes GET viewer
web:recipe-new GET member, POST member
web:recipe-preview POST member
web:recipe-import GET member, POST member
web:recipes-export GET viewer; writes events_event
web:recipes-starters POST member
web:cloud-recipes GET viewer; writes jobs_cloudcatalog
web:cloud-recipes-refresh POST viewer
web:cloud-recipe GET viewer; writes jobs_cloudcatalog
web:cloud-recipe-import POST member
web:recipe GET viewer
web:recipe-edit GET member, POST member
web:recipe-versions GET viewer
web:recipe-roll-back POST member
web:recipe-export GET viewer; writes events_event
web:recipe-pin POST viewer
web:recipe-copy POST member
web:recipe-hand-over GET member, POST member
web:recipe-share POST member
web:recipe-archive POST member
web:recipe-from-job GET member, POST member
web:recipe-launch GET member, POST member
web:inventory GET viewer
web:inventory-adopt GET member, POST member
web:inventory-stop GET member, POST member
web:inventory-watch POST member
web:inventory-unwatch POST member
web:inventory-ignore POST member
web:inventory-unignore POST member
web:credential-history GET viewer, POST admin
web:autostop GET viewer
web:autostop-change GET admin, POST admin
web:autostop-enforce POST admin
web:autostop-read POST admin
web:team GET viewer
web:team-events GET viewer
web:team-events-export GET admin; writes events_event
web:team-limits GET admin, POST admin
web:team-freeze POST admin
web:team-leave GET viewer, POST viewer
web:team-member GET admin, POST admin
web:team-member-remove GET admin, POST admin
web:team-tokens GET admin, POST admin
web:team-token-revoke GET admin, POST admin
web:team-ssh-keys POST admin
web:team-ssh-key GET admin, POST admin
web:team-ssh-key-remove POST admin
web:team-calendar POST viewer
web:team-calendar-off POST viewer
web:team-notices GET admin, POST admin
web:team-notices-test POST admin
web:team-notices-signing POST admin
web:team-notices-switch POST admin
web:team-notices-remove POST admin
web:credential-add GET admin, POST admin
web:credential GET viewer
web:credential-replace GET admin, POST admin
web:credential-disable GET admin, POST admin
web:credential-enable POST admin
web:jobs GET viewer
web:jobs-csv GET viewer; writes events_event
web:jobs-columns POST viewer
web:jobs-ask GET member
web:jobs-bulk POST member
web:job GET viewer
web:job-logs GET viewer; writes jobs_runlog signals_logwatch events_event
web:job-activity GET viewer
web:job-events GET viewer
web:job-spec GET viewer
web:job-ask GET member
web:job-choices GET member, POST member
web:job-stop POST member
web:job-extend POST member
web:job-in-use POST member
web:job-price POST member
web:job-settle GET admin, POST admin
web:job-rename GET member, POST member
web:job-hand-over GET member, POST member
web:job-notes GET member, POST member
web:job-tags POST member
web:job-star POST viewer
web:job-protect GET member, POST member
web:job-unprotect GET member, POST member
web:job-connect POST member
web:job-heartbeat POST member
web:job-reach POST member
web:job-token POST member
web:hold GET viewer
web:hold-ask GET admin
web:hold-decide POST admin
web:launch GET member, POST member
web:launch-gpus GET member
web:launch-estimate GET member
web:presets GET member
web:preset-change POST member
web:preset-delete POST member
""")

# django-allauth's: accounts, not teams. Whoever is signed in reaches their own account and nothing else.
ACCOUNTS = _rules("""
account_login GET anyone, POST anyone
account_logout GET anyone, POST anyone
account_inactive GET anyone
account_signup GET anyone, POST anyone
account_reauthenticate GET reader, POST reader
account_email GET reader, POST reader
account_email_verification_sent GET anyone
account_change_password GET reader, POST reader
account_set_password GET reader, POST reader
account_reset_password GET anyone, POST anyone
account_reset_password_done GET anyone
account_reset_password_from_key GET anyone, POST anyone
account_reset_password_from_key_done GET anyone
account_confirm_email GET anyone, POST anyone
account_confirm_login_code GET nobody
mfa_index GET reader
mfa_authenticate GET anyone, POST anyone
mfa_reauthenticate GET reader, POST reader
mfa_activate_totp GET reader, POST reader
mfa_deactivate_totp GET reader, POST reader
mfa_view_recovery_codes GET reader
mfa_generate_recovery_codes GET reader, POST reader
mfa_download_recovery_codes GET nobody
mfa_list_webauthn GET reader
mfa_add_webauthn GET reader, POST reader
mfa_reauthenticate_webauthn GET reader, POST reader
mfa_remove_webauthn GET reader, POST reader
mfa_edit_webauthn GET reader, POST reader
usersessions_list GET reader, POST reader
socialaccount_login_cancelled GET nobody, POST nobody
socialaccount_login_error GET nobody, POST nobody
socialaccount_signup GET nobody, POST nobody
socialaccount_connections GET nobody, POST nobody
openid_connect_login GET nobody, POST nobody
openid_connect_callback GET nobody, POST nobody
""")

# The REST API: the rule names the least role; a token needs the scope for it too.
API = _rules("""
api:jobs GET viewer, POST member
api:job GET viewer, PATCH member
api:job-logs GET viewer; writes jobs_runlog signals_logwatch
api:job-stop POST member
api:job-extend POST member
api:job-settle POST admin
api:job-in-use POST member
api:job-protect POST member
api:job-unprotect POST member
api:job-accept-rate POST member
api:job-hand-over POST member
api:job-star POST member
api:autostop GET viewer, POST admin
api:autostop-replay POST viewer
api:credentials GET viewer
api:secrets GET viewer, POST admin
api:secret GET viewer, PATCH admin
api:secret-delete POST admin
api:members GET viewer
api:member GET admin, PATCH admin
api:member-remove POST admin
api:invitations GET admin, POST admin
api:invitation-send-again POST admin
api:invitation-withdraw POST admin
api:recipes GET viewer, POST member
api:recipe GET viewer, PATCH member
api:recipe-versions GET viewer, POST member
api:recipe-version GET viewer
api:recipe-roll-back POST member
api:recipe-copy POST member
api:recipe-share POST member
api:recipe-make-private POST member
api:recipe-archive POST member
api:recipe-unarchive POST member
api:recipe-launch POST member
api:presets GET viewer, POST member
api:preset GET viewer
api:preset-delete POST member
api:inventory GET viewer
api:inventory-adopt POST member
api:inventory-stop POST member
api:inventory-watch POST member
api:inventory-unwatch POST member
api:events GET admin
api:inventory-ignore POST member
api:inventory-unignore POST member
api:gpus GET viewer
api:offers GET viewer
api:me GET viewer
""")

# Pages about the API, for whoever is signed in.
API_PAGES = _rules("""
api:schema GET reader
api:docs GET reader
""")

# Addresses without a name: they only lead elsewhere, or say in the one error shape that nothing is there.
NAMELESS = {
    "api/docs",
    "api/",
}
