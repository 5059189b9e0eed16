"""Brings a database from the first state of this app to that of 0.1.0. New ones begin with the squashed file."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models

from dispersed_web.credentials.cloud import cloud_name


def owners_are_launchers(apps, schema_editor):
    job = apps.get_model("jobs", "Job")
    job.objects.update(owner_id=models.F("created_by_id"))


def take_for_known(apps, schema_editor):
    """Machines that have an address already are no news."""
    runs = apps.get_model("jobs", "JobRun").objects.exclude(node_urls=[]).exclude(running_at=None)
    runs.update(reachable_at=models.F("running_at"))
    jobs = apps.get_model("jobs", "Job").objects
    for run in runs.filter(ended_at=None).order_by("-reachable_at").iterator():
        jobs.filter(pk=run.job_id).update(reachable_at=run.reachable_at)
    for job in jobs.exclude(current_run=None).select_related("current_run").iterator():
        begun = job.current_run.started_at or job.current_run.first_seen_at
        jobs.filter(pk=job.pk).update(run_started_at=begun)


def name_the_clouds(apps, schema_editor):
    """A job that two teams hold already, with keys of one account, stays with the one that knew it first."""
    job, credential = apps.get_model("jobs", "Job"), apps.get_model("credentials", "Credential")
    for key_id, api_url in credential.objects.values_list("pk", "api_url"):
        job.objects.filter(credential=key_id).update(cloud=cloud_name(api_url))
    held = set()
    rows = job.objects.exclude(remote_uuid=None).order_by("created_at")
    for pk, cloud, remote_uuid in rows.values_list("pk", "cloud", "remote_uuid").iterator():
        if (cloud, remote_uuid) in held:
            job.objects.filter(pk=pk).update(cloud=f"{cloud}#{pk}"[:255])
        held.add((cloud, remote_uuid))
    if schema_editor.connection.vendor == "postgresql":
        # What was checked at the end of the transaction is checked now, or the table could not be altered below.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        schema_editor.execute("SET CONSTRAINTS ALL DEFERRED")


class Migration(migrations.Migration):

    dependencies = [
        ('credentials', '0002_to_0_1_0'),
        ('jobs', '0001_initial'),
        ('recipes', '0001_initial'),
        ('teams', '0002_to_0_1_0'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='asked_with',
            field=models.UUIDField(help_text='The API token that asked for it: its scope still bounds it when it is sent.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='blind_since',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='blind_told_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='budget_usd',
            field=models.DecimalField(decimal_places=2, max_digits=10, null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='checkin_every_s',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='choices_changed_at',
            field=models.DateTimeField(help_text='Last change of the above on the running job; gives a full warning anew.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='confidence',
            field=models.CharField(blank=True, max_length=6),
        ),
        migrations.AddField(
            model_name='job',
            name='confirmed_at',
            field=models.DateTimeField(help_text='Last time somebody said that it is in use: extended, protected, answered.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='connected_at',
            field=models.DateTimeField(help_text='Last time somebody opened its connection.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='current_run',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='jobs.jobrun'),
        ),
        migrations.AddField(
            model_name='job',
            name='heartbeat_digest',
            field=models.CharField(help_text='SHA-256 of the token in its heartbeat address.', max_length=64, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='job',
            name='idle_limit_now_s',
            field=models.PositiveIntegerField(help_text='The idle limit that holds now.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='idle_limit_s',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='log_noise',
            field=models.JSONField(default=list, help_text='Log lines that contain one of these are no activity.'),
        ),
        migrations.AddField(
            model_name='job',
            name='protected_reason',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name='job',
            name='protected_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='quiet_since',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='rate_accepted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='rate_cap_usd',
            field=models.DecimalField(decimal_places=4, max_digits=10, null=True, verbose_name='highest price per hour'),
        ),
        migrations.AddField(
            model_name='job',
            name='rate_exceeded_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='reminded_for',
            field=models.DateTimeField(help_text='The stop time that people were reminded of.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='run_running_at',
            field=models.DateTimeField(help_text='When that run was first seen RUNNING.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='silence_told_at',
            field=models.DateTimeField(help_text="When a BATCH job's silence was told.", null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='stop_evidence',
            field=models.JSONField(default=dict, help_text='What the stop was decided on.'),
        ),
        migrations.AddField(
            model_name='job',
            name='uses_logs',
            field=models.BooleanField(default=False, help_text='Whether silent logs mean that it is idle.'),
        ),
        migrations.AddField(
            model_name='job',
            name='verdict_rule',
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name='job',
            name='verdict_state',
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AddField(
            model_name='job',
            name='warning_delivered_at',
            field=models.DateTimeField(help_text='When the last warning reached somebody on some way.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='warning_failed_at',
            field=models.DateTimeField(help_text='When every way of the last warning had failed.', null=True),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(('idle_limit_s', None), ('idle_limit_s__gte', 60), _connector='OR'), name='job_idle_limit_is_a_minute_or_more'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(('checkin_every_s', None), ('checkin_every_s__gte', 60), _connector='OR'), name='job_checkin_is_a_minute_or_more'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(('protected_until', None), models.Q(('protected_reason', ''), _negated=True), _connector='OR'), name='job_protection_has_a_reason'),
        ),
        migrations.AddField(
            model_name='job',
            name='kept_until',
            field=models.DateTimeField(help_text='Its container asked to be kept so long: no person said so, and no hard limit moves.', null=True),
        ),
        migrations.CreateModel(
            name='CloudCatalog',
            fields=[
                ('credential', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, serialize=False, to='credentials.credential')),
                ('recipes', models.JSONField(default=list)),
                ('fetched_at', models.DateTimeField(null=True)),
                ('failure', models.TextField(blank=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='RunLog',
            fields=[
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='kept_log', serialize=False, to='jobs.jobrun')),
                ('content', models.BinaryField(help_text='zlib of the masked text.')),
                ('is_cut', models.BooleanField(default=False)),
                ('is_final', models.BooleanField(default=False, help_text='Fetched after the run had ended.')),
                ('failures', models.PositiveSmallIntegerField(default=0)),
                ('fetched_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='job',
            name='answers',
            field=models.JSONField(default=dict, help_text='What was answered to the recipe; no secrets.'),
        ),
        migrations.AddField(
            model_name='job',
            name='cook_uuid',
            field=models.CharField(blank=True, help_text='The recipe of the cloud that it is cooked from.', max_length=128),
        ),
        migrations.AddField(
            model_name='job',
            name='notes',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='job',
            name='origin',
            field=models.CharField(choices=[('launched', 'launched here'), ('adopted', 'adopted'), ('found', 'found again'), ('imported', 'imported history')], default='launched', max_length=8),
        ),
        migrations.AddField(
            model_name='job',
            name='owner',
            field=models.ForeignKey(help_text='Who answers for it: who launched it, until it is handed over.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='job',
            name='recipe_version',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to='recipes.recipeversion'),
        ),
        migrations.AddField(
            model_name='unmanagedjob',
            name='ignored_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='unmanagedjob',
            name='ignored_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='unmanagedjob',
            name='told_at',
            field=models.DateTimeField(help_text='When its watchers last heard of it.', null=True),
        ),
        migrations.AddField(
            model_name='unmanagedjob',
            name='watched_by',
            field=models.ManyToManyField(help_text='Who hears of its end and of what it costs.', related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='CalendarFeed',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('token_digest', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('last_used_at', models.DateTimeField(null=True)),
                ('team', models.ForeignKey(help_text='Empty: all my jobs.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='teams.team')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'team'), name='calendar_feed_once_per_team'), models.UniqueConstraint(condition=models.Q(('team', None)), fields=('user',), name='calendar_feed_once_for_oneself')],
            },
        ),
        migrations.CreateModel(
            name='JobStar',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='stars', to='jobs.job')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'job'), name='job_star_once')],
            },
        ),
        migrations.CreateModel(
            name='JobTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40)),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='jobs.job')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='teams.team')),
            ],
            options={
                'indexes': [models.Index(fields=['team', 'name'], name='job_tag_of_team')],
                'constraints': [models.UniqueConstraint(fields=('job', 'name'), name='job_tag_once'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='job_tag_is_not_empty')],
            },
        ),
        migrations.CreateModel(
            name='Preset',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('values', models.JSONField(default=dict, help_text='Fields of the launch form as typed.')),
                ('answers', models.JSONField(default=dict, help_text="Answers to the recipe's inputs as typed.")),
                ('is_usual', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('used_at', models.DateTimeField(null=True)),
                ('recipe', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='recipes.recipe')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='teams.team')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='presets', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'team', 'name'), name='preset_once_per_name'), models.UniqueConstraint(condition=models.Q(('is_usual', True)), fields=('user', 'team'), name='preset_one_usual')],
            },
        ),
        migrations.AddField(
            model_name='job',
            name='reachable_at',
            field=models.DateTimeField(help_text='Since when one of its live runs has an address; people were told then.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='run_started_at',
            field=models.DateTimeField(help_text='When that run got its node.', null=True),
        ),
        migrations.AddField(
            model_name='jobrun',
            name='reachable_at',
            field=models.DateTimeField(help_text='First sight of RUNNING with an address.', null=True),
        ),
        migrations.CreateModel(
            name='HistoryImport',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('since', models.DateTimeField(help_text='Older jobs are left out.')),
                ('state', models.CharField(choices=[('jobs', 'reading past jobs'), ('runs', 'reading what they cost'), ('done', 'done'), ('failed', 'failed')], default='jobs', max_length=6)),
                ('next_page', models.PositiveIntegerField(default=1)),
                ('seen', models.PositiveIntegerField(default=0, help_text='Ended jobs that the cloud showed.')),
                ('brought_in', models.PositiveIntegerField(default=0)),
                ('priced', models.PositiveIntegerField(default=0, help_text='Of these, those whose runs were found.')),
                ('is_cut', models.BooleanField(default=False, help_text='There were more than are brought in at once.')),
                ('next_try_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('failures', models.PositiveSmallIntegerField(default=0, help_text='In a row.')),
                ('failure', models.TextField(blank=True)),
                ('lease_until', models.DateTimeField(null=True)),
                ('lease_token', models.UUIDField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name='job',
            name='cloud',
            field=models.CharField(blank=True, help_text='Which cloud its credential is for.', max_length=255),
        ),
        migrations.AddField(
            model_name='unmanagedjob',
            name='echo',
            field=models.JSONField(default=dict, help_text='What the cloud shows of its specification; no secrets.'),
        ),
        migrations.AddField(
            model_name='unmanagedjob',
            name='ignored_rate_usd',
            field=models.DecimalField(decimal_places=4, help_text='Its price when it was ignored.', max_digits=10, null=True),
        ),
        migrations.AddField(
            model_name='unmanagedjob',
            name='missing_since',
            field=models.DateTimeField(help_text='Since then the cloud does not show it, and no end was seen.', null=True),
        ),
        migrations.AddField(
            model_name='unmanagedjob',
            name='source',
            field=models.CharField(choices=[('elsewhere', 'launched elsewhere'), ('installation', 'launched by another installation'), ('team', 'launched by another team'), ('duplicate', 'carries the mark of a job that is here already'), ('unclear', 'launched here, by a team that cannot be told')], default='elsewhere', max_length=12),
        ),
        migrations.AddField(
            model_name='historyimport',
            name='asked_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='historyimport',
            name='credential',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='history_imports', to='credentials.credential'),
        ),
        migrations.AddIndex(
            model_name='historyimport',
            index=models.Index(fields=['credential', '-asked_at'], name='history_import_latest'),
        ),
        migrations.AddConstraint(
            model_name='historyimport',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['jobs', 'runs'])), fields=('credential',), name='history_import_one_open'),
        ),
        migrations.AddField(
            model_name='runlog',
            name='first',
            field=models.PositiveIntegerField(default=0, help_text='How many lines stood before it.'),
        ),
        migrations.AddField(
            model_name='runlog',
            name='given_up',
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name='runlog',
            name='next_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name='runlog',
            name='content',
            field=models.BinaryField(help_text='zlib of the masked text; empty when there is none.'),
        ),
        migrations.AlterField(
            model_name='runlog',
            name='fetched_at',
            field=models.DateTimeField(help_text='When the cloud last showed it.', null=True),
        ),
        migrations.AddIndex(
            model_name='jobrun',
            index=models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['ended_at'], name='run_by_end'),
        ),
        migrations.AddIndex(
            model_name='runlog',
            index=models.Index(condition=models.Q(('given_up', ''), ('is_final', False)), fields=['next_at'], name='run_log_waiting'),
        ),
        migrations.AddField(
            model_name='job',
            name='secret_refs',
            field=models.JSONField(default=dict, help_text='Which parts of the specification name a secret of the team: part to its id.'),
        ),
        migrations.RunPython(owners_are_launchers, migrations.RunPython.noop),
        migrations.RunPython(take_for_known, migrations.RunPython.noop),
        migrations.RunPython(name_the_clouds, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.UniqueConstraint(fields=('cloud', 'remote_uuid'), name='job_once_per_cloud'),
        ),
    ]
