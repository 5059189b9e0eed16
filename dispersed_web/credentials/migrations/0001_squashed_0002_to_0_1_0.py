"""A new database begins here; one from before this file was made goes through those it replaces."""

import django.db.models.deletion
import django.db.models.functions.text
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('credentials', '0001_initial'), ('credentials', '0002_to_0_1_0')]

    initial = True

    dependencies = [
        ('teams', '0002_to_0_1_0'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Credential',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credentials', to='teams.team')),
                ('name', models.CharField(max_length=60)),
                ('api_url', models.CharField(help_text='Base address of the cloud that issued it.', max_length=200)),
                ('public_key', models.CharField(max_length=200)),
                ('account', models.CharField(blank=True, help_text="The cloud's account behind the key; empty where it does not say.", max_length=128)),
                ('secret_sealed', models.TextField()),
                ('state', models.CharField(choices=[('active', 'Active'), ('broken', 'Broken'), ('disabled', 'Disabled'), ('retired', 'Retired'), ('gone', 'Gone')], default='active', max_length=8)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('count_due_at', models.DateTimeField(help_text='When its jobs are next counted in all states, known or not.', null=True)),
                ('expiry_told_days', models.PositiveSmallIntegerField(help_text='The last warning that the team got: so many days ahead of the expiry.', null=True)),
                ('usable_by', models.CharField(choices=[('members', 'Every member'), ('admins', 'Admins and owners'), ('chosen', 'Chosen members')], default='members', max_length=8)),
                ('managed_by', models.CharField(choices=[('admins', 'Admins and owners'), ('owners', 'Owners')], default='admins', max_length=8)),
                ('retired_at', models.DateTimeField(null=True)),
                ('successor', models.ForeignKey(help_text='What replaced it.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='predecessors', to='credentials.credential')),
                ('permissions', models.JSONField(default=dict, help_text='What the cloud was seen to allow this key: act to {allowed, at}.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('last_used_at', models.DateTimeField(null=True)),
                ('last_used_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('listed_at', models.DateTimeField(help_text='Start of the last complete listing.', null=True)),
                ('seen_since', models.DateTimeField(help_text='Since then every listing came in time: what was seen before has a gap behind it.', null=True)),
                ('failed_at', models.DateTimeField(null=True)),
                ('failures', models.PositiveIntegerField(default=0, help_text='Failed syncs in a row.')),
                ('failure', models.TextField(blank=True, help_text='The last fault, as a sentence; empty when all is well.')),
                ('cancel_refused_at', models.DateTimeField(null=True)),
                ('refused_at', models.DateTimeField(help_text='Since then the cloud refuses this key, or it cannot be used here.', null=True)),
                ('clock_offset_ms', models.BigIntegerField(help_text="The cloud's clock minus ours.", null=True)),
                ('probed_at', models.DateTimeField(null=True)),
                ('probe', models.JSONField(default=dict, help_text='Answers to a stale and to a repeated request.')),
                ('sync_due_at', models.DateTimeField(null=True)),
                ('sync_lease_until', models.DateTimeField(null=True)),
                ('sync_lease_token', models.UUIDField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'gone'), _negated=True), fields=('api_url', 'public_key'), name='credential_key_belongs_to_one_team'), models.UniqueConstraint(condition=models.Q(('state', 'gone'), _negated=True), fields=('team', 'name'), name='credential_name_once_in_a_team'), models.CheckConstraint(condition=models.Q(('state__in', ['active', 'broken', 'disabled', 'retired', 'gone'])), name='credential_state_known')],
            },
        ),
        migrations.CreateModel(
            name='CredentialCaps',
            fields=[
                ('credential', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='caps', serialize=False, to='credentials.credential')),
                ('max_active_jobs', models.PositiveIntegerField(null=True)),
                ('max_hourly_usd', models.DecimalField(decimal_places=2, max_digits=10, null=True)),
                ('max_day_usd', models.DecimalField(decimal_places=2, max_digits=10, null=True)),
                ('max_month_usd', models.DecimalField(decimal_places=2, max_digits=10, null=True)),
                ('task', models.CharField(blank=True, help_text='BATCH, PERSISTENT, or empty for both.', max_length=10)),
                ('gpu_models', models.JSONField(default=list)),
                ('max_gpu_count', models.PositiveIntegerField(null=True)),
                ('regions', models.JSONField(default=list)),
                ('images', models.JSONField(default=list, help_text='Patterns such as dispersednetwork/*; * is any text.')),
                ('max_lifetime_s', models.PositiveIntegerField(null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('task__in', ['', 'BATCH', 'PERSISTENT'])), name='credential_caps_task_known')],
            },
        ),
        migrations.CreateModel(
            name='CredentialUser',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('credential', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chosen', to='credentials.credential')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('credential', 'user'), name='credential_user_once')],
            },
        ),
        migrations.CreateModel(
            name='KeyCanary',
            fields=[
                ('key_id', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('sealed', models.TextField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('rows', models.PositiveIntegerField(help_text='How many secrets were sealed with it at the last check.', null=True)),
                ('unreadable', models.PositiveIntegerField(default=0, help_text='How many of them could not be opened.')),
                ('checked_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='SecretUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secret_uses', to='teams.team')),
                ('kind', models.CharField(help_text='credential, secret, job or channel', max_length=20)),
                ('row_id', models.CharField(max_length=36)),
                ('purpose', models.CharField(help_text='Such as launch, stop, sync, logs.', max_length=20)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('day', models.DateField()),
                ('count', models.PositiveIntegerField(default=0)),
                ('failed', models.PositiveIntegerField(default=0, help_text='How often it could not be opened.')),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['team', '-day'], name='secret_use_of_team')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'row_id', 'purpose', 'day', 'user'), name='secret_use_once_a_day'), models.UniqueConstraint(condition=models.Q(('user', None)), fields=('kind', 'row_id', 'purpose', 'day'), name='secret_use_of_nobody_once_a_day')],
            },
        ),
        migrations.CreateModel(
            name='TeamSecret',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to='teams.team')),
                ('name', models.CharField(max_length=60)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('value_sealed', models.TextField()),
                ('fingerprint', models.CharField(help_text='Tells two values apart; nothing follows from it.', max_length=8)),
                ('usable_by', models.CharField(choices=[('members', 'Every member'), ('admins', 'Admins and owners'), ('chosen', 'Chosen members')], default='members', max_length=8)),
                ('hosts', models.JSONField(default=list, help_text='Registries that may be given it as a password, and nothing else may; empty: no such bound.')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('changed_at', models.DateTimeField()),
                ('last_used_at', models.DateTimeField(null=True)),
                ('last_used_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('name'), models.F('team'), name='team_secret_name_once_in_a_team')],
            },
        ),
        migrations.CreateModel(
            name='TeamSecretUser',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('secret', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chosen', to='credentials.teamsecret')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('secret', 'user'), name='team_secret_user_once')],
            },
        ),
    ]
