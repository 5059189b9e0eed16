"""Brings a database from the first state of this app to that of 0.1.0. New ones begin with the squashed file."""

import dispersed_web.teams.models
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('teams', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AutostopPolicy',
            fields=[
                ('team', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='autostop_policy', serialize=False, to='teams.team')),
                ('mode', models.CharField(choices=[('observe', 'Observe'), ('enforce', 'Enforce')], default='observe', max_length=8)),
                ('observe_until', models.DateTimeField(default=dispersed_web.teams.models.a_week_from_now, help_text='When observing turns into enforcing by itself; empty: never.', null=True)),
                ('high_idle_s', models.PositiveIntegerField(default=3600)),
                ('high_idle_max_s', models.PositiveIntegerField(default=28800)),
                ('high_lead_s', models.PositiveIntegerField(default=900)),
                ('medium_idle_s', models.PositiveIntegerField(default=5400)),
                ('medium_idle_max_s', models.PositiveIntegerField(default=28800)),
                ('medium_lead_s', models.PositiveIntegerField(default=1200)),
                ('boot_grace_s', models.PositiveIntegerField(default=1200, help_text='After the start of a run: so long nothing counts as idle.')),
                ('checkin_first_s', models.PositiveIntegerField(default=7200)),
                ('checkin_every_s', models.PositiveIntegerField(default=14400)),
                ('checkin_every_max_s', models.PositiveIntegerField(default=43200)),
                ('checkin_answer_s', models.PositiveIntegerField(default=1800)),
                ('schedule', models.JSONField(help_text='Zone and weekly stop times; see autostop/schedule.py.', null=True)),
                ('schedule_changed_at', models.DateTimeField(null=True)),
                ('team_day_usd', models.DecimalField(decimal_places=2, max_digits=10, null=True)),
                ('team_month_usd', models.DecimalField(decimal_places=2, max_digits=10, null=True)),
                ('member_day_usd', models.DecimalField(decimal_places=2, max_digits=10, null=True)),
                ('member_month_usd', models.DecimalField(decimal_places=2, max_digits=10, null=True)),
                ('budget_stops', models.BooleanField(default=True, help_text='Whether a budget that is used up stops running jobs.')),
                ('version', models.PositiveIntegerField(default=1)),
                ('changed_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('high_idle_s__gte', 60), ('medium_idle_s__gte', 60), ('high_idle_max_s__gte', models.F('high_idle_s')), ('medium_idle_max_s__gte', models.F('medium_idle_s'))), name='policy_idle_limits_are_ordered'), models.CheckConstraint(condition=models.Q(('checkin_answer_s__gte', 60), ('checkin_every_s__gte', 60), ('checkin_first_s__gte', 60), ('checkin_every_max_s__gte', models.F('checkin_every_s'))), name='policy_checkins_are_ordered'), models.CheckConstraint(condition=models.Q(('mode__in', ['observe', 'enforce'])), name='policy_mode_known'), models.CheckConstraint(condition=models.Q(('team_day_usd', None), ('team_day_usd__gt', 0), _connector='OR'), name='policy_team_day_usd_positive'), models.CheckConstraint(condition=models.Q(('team_month_usd', None), ('team_month_usd__gt', 0), _connector='OR'), name='policy_team_month_usd_positive'), models.CheckConstraint(condition=models.Q(('member_day_usd', None), ('member_day_usd__gt', 0), _connector='OR'), name='policy_member_day_usd_positive'), models.CheckConstraint(condition=models.Q(('member_month_usd', None), ('member_month_usd__gt', 0), _connector='OR'), name='policy_member_month_usd_positive')],
            },
        ),
        migrations.CreateModel(
            name='TeamSshKey',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('line', models.TextField(help_text='As it stands in the .pub file.', verbose_name='public key')),
                ('fingerprint', models.CharField(max_length=60)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('added_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ssh_keys', to='teams.team')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('team', 'fingerprint'), name='team_ssh_key_once_per_team')],
            },
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('email', models.EmailField(max_length=254)),
                ('role', models.CharField(choices=[('owner', 'Owner'), ('admin', 'Admin'), ('member', 'Member'), ('viewer', 'Viewer')], max_length=8)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('by_mail', models.BooleanField(default=True, help_text='Whether the link went to the address, so that who has it proves to read it.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('sent_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField()),
                ('accepted_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='apitoken',
            name='api_token_scope_known',
        ),
        migrations.AddField(
            model_name='apitoken',
            name='last_used_ip',
            field=models.GenericIPAddressField(null=True),
        ),
        migrations.AddField(
            model_name='apitoken',
            name='made_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='installation',
            name='holder',
            field=models.CharField(blank=True, help_text='The DW_INSTALLATION_ID that may act with this database; a copy under another one only looks.', max_length=64),
        ),
        migrations.AddField(
            model_name='membership',
            name='is_default',
            field=models.BooleanField(default=False, help_text="Whether the person's browser opens this team first."),
        ),
        migrations.AddField(
            model_name='team',
            name='deleted_at',
            field=models.DateTimeField(help_text='Then nobody belongs to it any more and its secrets are gone; jobs and events stay.', null=True),
        ),
        migrations.AddField(
            model_name='team',
            name='require_mfa',
            field=models.BooleanField(default=False, help_text='Whether members need a second factor to reach this team.'),
        ),
        migrations.AlterField(
            model_name='apitoken',
            name='scope',
            field=models.CharField(choices=[('read', 'Read'), ('operate', 'Read and operate'), ('admin', 'Administer')], max_length=8),
        ),
        migrations.AddConstraint(
            model_name='apitoken',
            constraint=models.CheckConstraint(condition=models.Q(('scope__in', ['read', 'operate', 'admin'])), name='api_token_scope_known'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('user',), name='membership_one_default'),
        ),
        migrations.AddField(
            model_name='invitation',
            name='accepted_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='invitation',
            name='invited_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='invitation',
            name='team',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='teams.team'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('email'), models.F('team'), condition=models.Q(('accepted_at', None), ('revoked_at', None)), name='invitation_one_open_for_an_address'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['owner', 'admin', 'member', 'viewer'])), name='invitation_role_known'),
        ),
        migrations.AddField(
            model_name='apitoken',
            name='expiry_told_days',
            field=models.PositiveSmallIntegerField(help_text='How many days ahead of its expiry somebody was warned last.', null=True),
        ),
    ]
