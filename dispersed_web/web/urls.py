"""Addresses of the pages."""

from django.urls import path

from dispersed_web.web.views import (
    act_links,
    bulk,
    credentials,
    health,
    home,
    inbox,
    job,
    job_acts,
    job_logs,
    jobs,
    launch,
    me,
    notices,
    team,
)

app_name = "web"
urlpatterns = [
    path("", home.home, name="home"),
    path("healthz", health.healthz, name="healthz"),
    path("healthz/sweep", health.healthz_sweep, name="healthz-sweep"),
    path("readyz", health.readyz, name="readyz"),
    path("teams/new/", home.new_team, name="team-new"),
    path("t/<slug:slug>/", home.team_home, name="team-home"),
    path("t/<slug:slug>/team/", team.team, name="team"),
    path("t/<slug:slug>/team/events/", team.team_events, name="team-events"),
    path("t/<slug:slug>/team/limits/", team.team_limits, name="team-limits"),
    path("t/<slug:slug>/team/freeze/", team.team_freeze, name="team-freeze"),
    path("t/<slug:slug>/team/leave/", team.team_leave, name="team-leave"),
    path("t/<slug:slug>/team/members/<int:membership_id>/", team.team_member, name="team-member"),
    path(
        "t/<slug:slug>/team/members/<int:membership_id>/remove/",
        team.team_member_remove,
        name="team-member-remove",
    ),
    path(
        "t/<slug:slug>/team/tokens/<uuid:token_id>/revoke/", team.team_token_revoke, name="team-token-revoke"
    ),
    path("t/<slug:slug>/team/notifications/", notices.team_notices, name="team-notices"),
    path("t/<slug:slug>/team/notifications/test/", notices.team_notices_test, name="team-notices-test"),
    path("t/<slug:slug>/team/notifications/switch/", notices.team_notices_switch, name="team-notices-switch"),
    path("t/<slug:slug>/team/notifications/remove/", notices.team_notices_remove, name="team-notices-remove"),
    path("t/<slug:slug>/credentials/add/", credentials.add, name="credential-add"),
    path("t/<slug:slug>/credentials/<uuid:credential_id>/", credentials.credential, name="credential"),
    path(
        "t/<slug:slug>/credentials/<uuid:credential_id>/replace/",
        credentials.replace,
        name="credential-replace",
    ),
    path(
        "t/<slug:slug>/credentials/<uuid:credential_id>/disable/",
        credentials.disable,
        name="credential-disable",
    ),
    path(
        "t/<slug:slug>/credentials/<uuid:credential_id>/enable/", credentials.enable, name="credential-enable"
    ),
    path("t/<slug:slug>/jobs/", jobs.jobs, name="jobs"),
    path("t/<slug:slug>/jobs.csv", jobs.jobs_csv, name="jobs-csv"),
    path("t/<slug:slug>/jobs/ask/<slug:act>/", bulk.ask, name="jobs-ask"),
    path("t/<slug:slug>/jobs/bulk/", bulk.bulk, name="jobs-bulk"),
    path("t/<slug:slug>/jobs/<uuid:job_id>/", job.overview, name="job"),
    path("t/<slug:slug>/jobs/<uuid:job_id>/logs/", job_logs.page, name="job-logs"),
    path("t/<slug:slug>/jobs/<uuid:job_id>/activity/", job.activity, name="job-activity"),
    path("t/<slug:slug>/jobs/<uuid:job_id>/events/", job.events, name="job-events"),
    path("t/<slug:slug>/jobs/<uuid:job_id>/spec/", job.spec, name="job-spec"),
    path("t/<slug:slug>/jobs/<uuid:job_id>/ask/<slug:act>/", job_acts.ask, name="job-ask"),
    path("t/<slug:slug>/jobs/<uuid:job_id>/stop/", job_acts.stop_job, name="job-stop"),
    path("t/<slug:slug>/jobs/<uuid:job_id>/extend/", job_acts.extend_job, name="job-extend"),
    path("t/<slug:slug>/launch/", launch.form, name="launch"),
    path("t/<slug:slug>/launch/gpus/", launch.gpus, name="launch-gpus"),
    path("t/<slug:slug>/launch/estimate/", launch.estimate, name="launch-estimate"),
    path("me/", me.me, name="me"),
    path("me/notices/", notices.me_notices, name="me-notices"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/read/", inbox.inbox_read_all, name="inbox-read-all"),
    path("inbox/<int:notice_id>/open/", inbox.inbox_open, name="inbox-open"),
    path("inbox/<int:notice_id>/read/", inbox.inbox_read, name="inbox-read"),
    path("do/<str:token>/", act_links.act_link, name="act-link"),
    path("me/ssh-key/", me.ssh_key, name="me-ssh-key"),
    path("me/ssh-key/remove/", me.ssh_key_remove, name="me-ssh-key-remove"),
    path("me/tokens/", me.tokens, name="me-tokens"),
    path("me/tokens/<uuid:token_id>/revoke/", me.token_revoke, name="me-token-revoke"),
]
