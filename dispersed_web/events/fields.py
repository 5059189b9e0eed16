"""What the audit log says of each field when its row changes: one table in which every field of every model appears, so
that nobody adds one without deciding.

``track``: a change is recorded with the value before and after. ``secret``: only that it changed, never a value. All
others are ``ignore``: names and moments that never change or that an event of its own tells of, and what the engine notes
for itself.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fields:
    """The fields of one model, by what is said of them."""

    track: frozenset[str]
    ignore: frozenset[str]
    secret: frozenset[str]


def _of(*, track: str = "", ignore: str = "", hidden: str = "") -> Fields:
    return Fields(frozenset(track.split()), frozenset(ignore.split()), frozenset(hidden.split()))


FIELDS: dict[str, Fields] = {
    # People
    "accounts.User": _of(
        track="email name time_zone is_active is_service is_site_admin",
        ignore="id last_login date_joined hides_first_steps",
        hidden="password",
    ),
    "accounts.SshKey": _of(track="name fingerprint is_default", ignore="id user line created_at"),
    "accounts.SignInPlace": _of(ignore="id user kind last_at", hidden="digest"),
    "accounts.Throttle": _of(ignore="id name began_at taken", hidden="key_digest"),
    "account.EmailAddress": _of(track="email verified primary", ignore="id user"),
    "account.EmailConfirmation": _of(ignore="id email_address created sent", hidden="key"),
    "mfa.Authenticator": _of(track="type", ignore="id user created_at last_used_at", hidden="data"),
    "usersessions.UserSession": _of(
        ignore="id user created_at ip last_seen_at user_agent data",
        hidden="session_key",
    ),
    "sessions.Session": _of(ignore="expire_date", hidden="session_key session_data"),
    "socialaccount.SocialAccount": _of(
        track="provider uid", ignore="id user last_login date_joined", hidden="extra_data"
    ),
    "socialaccount.SocialApp": _of(
        track="provider provider_id name client_id", ignore="id settings", hidden="secret key"
    ),
    "socialaccount.SocialToken": _of(ignore="id app account expires_at", hidden="token token_secret"),
    # Django's own, which nothing here uses
    "auth.Permission": _of(ignore="id name content_type codename"),
    "auth.Group": _of(ignore="id name permissions"),
    "auth.Group_permissions": _of(ignore="id group permission"),
    "contenttypes.ContentType": _of(ignore="id app_label model"),
    # Teams
    "teams.Installation": _of(track="holder", ignore="id uuid code"),
    "teams.Team": _of(
        track="name slug default_lifetime_s max_lifetime_s warn_lead_s max_active_jobs max_hourly_usd"
        " launches_frozen require_mfa",
        ignore="id created_at version launch_seq deleted_at",
    ),
    "teams.AutostopPolicy": _of(
        track="mode observe_until high_idle_s high_idle_max_s high_lead_s medium_idle_s medium_idle_max_s"
        " medium_lead_s boot_grace_s checkin_first_s checkin_every_s checkin_every_max_s checkin_answer_s"
        " schedule team_day_usd team_month_usd member_day_usd member_month_usd budget_stops",
        ignore="team schedule_changed_at version changed_at",
    ),
    "teams.Membership": _of(track="role", ignore="id team user joined_at is_default"),
    "teams.Invitation": _of(
        track="email role by_mail expires_at",
        ignore="id team invited_by created_at sent_at accepted_at accepted_by revoked_at",
        hidden="digest",
    ),
    "teams.ApiToken": _of(
        track="name scope expires_at",
        ignore="id team user made_by created_at last_used_at last_used_ip revoked_at expiry_told_days",
        hidden="digest prefix",
    ),
    "teams.TeamSshKey": _of(track="name fingerprint", ignore="id team line added_by created_at"),
    # The log itself
    "events.Event": _of(
        ignore="id team at kind subject_type subject_id actor_kind actor_user actor_label sentence data audience"
        " fanned_out_at ip_address user_agent request_id chain_number chain_hash"
    ),
    "events.ChainHead": _of(ignore="scope number hash checked_at checked_number fault"),
    # Credentials and secrets
    "credentials.Credential": _of(
        track="name api_url public_key account state expires_at usable_by managed_by successor",
        ignore="id team expiry_told_days retired_at permissions created_at created_by last_used_at last_used_by"
        " listed_at seen_since failed_at failures failure cancel_refused_at refused_at clock_offset_ms probed_at probe"
        " sync_due_at sync_lease_until sync_lease_token count_due_at",
        hidden="secret_sealed",
    ),
    "credentials.CredentialUser": _of(track="user", ignore="id credential"),
    "credentials.CredentialCaps": _of(
        track="max_active_jobs max_hourly_usd max_day_usd max_month_usd task gpu_models max_gpu_count regions"
        " images max_lifetime_s",
        ignore="credential",
    ),
    "credentials.TeamSecret": _of(
        track="name note usable_by hosts",
        ignore="id team created_by created_at changed_at last_used_at last_used_by",
        hidden="value_sealed fingerprint",
    ),
    "credentials.TeamSecretUser": _of(track="user", ignore="id secret"),
    "credentials.SecretUse": _of(ignore="id team kind row_id purpose user day count failed first_at last_at"),
    "credentials.KeyCanary": _of(
        ignore="key_id created_at rows unreadable checked_at",
        hidden="sealed",
    ),
    # Recipes
    "recipes.Recipe": _of(
        track="owner name category visibility",
        ignore="id team description_md icon current source copied_from launches launched_at created_at changed_at"
        " archived_at",
    ),
    # A version never changes, and the differences between two have a page of their own.
    "recipes.RecipeVersion": _of(ignore="id recipe number document note made_by made_at"),
    "recipes.RecipePin": _of(ignore="id recipe user"),
    # Jobs
    "jobs.Job": _of(
        track="owner title credential lifetime_s extend_until idle_limit_s checkin_every_s uses_logs log_noise"
        " budget_usd rate_cap_usd protected_until protected_reason",
        ignore="id team created_by origin created_at task status reason reason_text spec spec_fingerprint form_token"
        " marker gpu_label quoted_usd recipe_version answers cook_uuid asked_with secret_refs notes send_by next_try_at"
        " claims maybe_sent claim_token lease_until x_time_ms nonce unknown_since fence_at absent_lists watch_until"
        " superseded_by cloud remote_uuid remote_status launched_at assigned_at running_at ended_at missing_since"
        " missing_alarmed_at hourly_rate_usd spent_usd spending_since ceiling_s warn_lead_s limits_version stop_at"
        " warned_for warned_at evaluate_at reminded_for warning_delivered_at warning_failed_at choices_changed_at"
        " confirmed_at connected_at kept_until rate_exceeded_at rate_accepted_at verdict_state verdict_rule"
        " confidence quiet_since blind_since blind_told_at idle_limit_now_s silence_told_at stop_evidence"
        " current_run run_started_at run_running_at reachable_at stop_requested_at stop_requested_by stop_reason"
        " stop_note stop_token stop_attempts stop_next_at stop_lease_until stop_sent_at stop_error stop_alarmed"
        " end_seen_at",
        hidden="spec_secrets_sealed heartbeat_digest",
    ),
    "jobs.JobRun": _of(
        ignore="id job remote_uuid status started_at running_at reachable_at ended_at hourly_rate_usd node_urls"
        " first_seen_at",
        hidden="access_tokens_sealed",
    ),
    "jobs.RunLog": _of(
        ignore="run first is_cut is_final failures fetched_at next_at given_up",
        hidden="content",
    ),
    "jobs.JobTag": _of(track="name", ignore="id job team"),
    "jobs.JobStar": _of(ignore="id job user"),
    "jobs.Preset": _of(
        # What people call theirs is nobody else's.
        track="recipe is_usual",
        ignore="id user team name created_at used_at",
        hidden="values answers",
    ),
    "jobs.CalendarFeed": _of(
        ignore="id user team created_at last_used_at",
        hidden="token_digest",
    ),
    "jobs.UnmanagedJob": _of(
        track="ignored_at watched_by",
        ignore="id credential remote_uuid title task status gpu_label hourly_rate_usd created_at first_seen_at"
        " seen_at source echo missing_since ignored_rate_usd ignored_by told_at",
    ),
    "jobs.UnmanagedJob_watched_by": _of(ignore="id unmanagedjob user"),
    "jobs.Sweep": _of(ignore="name finished_at"),
    "jobs.Market": _of(ignore="credential gpus offers fetched_at failure due_at"),
    "jobs.CloudCatalog": _of(ignore="credential recipes fetched_at failure due_at"),
    "jobs.HistoryImport": _of(
        ignore="id credential asked_by asked_at since state next_page seen brought_in priced is_cut next_try_at"
        " failures failure lease_until lease_token finished_at"
    ),
    # What was observed and decided
    "signals.Bucket": _of(
        ignore="id run source start node count first_at last_at gap period_s gpu_top gpu_busy gpu_at cpu_top cpu_at"
        " net_top net_at ssh_open key_at busy_at phase note lines lines_at"
    ),
    "signals.LogWatch": _of(ignore="run due_at lease_until read_at tail failures"),
    "autostop.VerdictChange": _of(ignore="id job run at state rule confidence stop_at sentence evidence"),
    "autostop.ObservedStop": _of(
        ignore="id team job run at quiet_since sentence hourly_rate_usd used_again_at used_again"
    ),
    "autostop.Hold": _of(
        track="decision", ignore="id team kind opened_at sentence job_ids proven_since decided_at decided_by"
    ),
    "autostop.Engine": _of(
        ignore="id trusted_since why away_since resumed_at receiver_ok_at receiver_failed_at receiver_error"
        " late_told_at"
    ),
    "autostop.BudgetMark": _of(ignore="key team percent at"),
    # Notices
    "notifications.Channel": _of(
        track="kind host active",
        ignore="id team created_by created_at changed_at signing_since last_success_at last_failure_at last_error failures"
        " quiet_until alarmed_at",
        hidden="url_sealed signing_sealed tail",
    ),
    "notifications.Delivery": _of(
        ignore="id event user channel way state attempts next_try_at claimed_at sent_at read_at error"
    ),
    "notifications.ActLink": _of(
        ignore="id delivery job act minutes created_at expires_at used_at",
        hidden="digest",
    ),
    "notifications.Wishes": _of(track="email_my_jobs", ignore="user"),
}
