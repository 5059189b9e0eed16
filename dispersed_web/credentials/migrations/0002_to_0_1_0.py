"""Brings a database from the first state of this app to that of 0.1.0. New ones begin with the squashed file."""

import django.db.models.deletion
import django.db.models.functions.text
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('credentials', '0001_initial'),
        ('teams', '0002_to_0_1_0'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='credential',
            name='count_due_at',
            field=models.DateTimeField(help_text='When its jobs are next counted in all states, known or not.', null=True),
        ),
        migrations.AddField(
            model_name='credential',
            name='seen_since',
            field=models.DateTimeField(help_text='Since then every listing came in time: what was seen before has a gap behind it.', null=True),
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
        ),
        migrations.CreateModel(
            name='CredentialUser',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
        ),
        migrations.CreateModel(
            name='KeyCanary',
            fields=[
                ('key_id', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('sealed', models.TextField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='SecretUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(help_text='credential, secret, job or channel', max_length=20)),
                ('row_id', models.CharField(max_length=36)),
                ('purpose', models.CharField(help_text='Such as launch, stop, sync, logs.', max_length=20)),
                ('day', models.DateField()),
                ('count', models.PositiveIntegerField(default=0)),
                ('failed', models.PositiveIntegerField(default=0, help_text='How often it could not be opened.')),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='TeamSecret',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('value_sealed', models.TextField()),
                ('fingerprint', models.CharField(help_text='Tells two values apart; nothing follows from it.', max_length=8)),
                ('usable_by', models.CharField(choices=[('members', 'Every member'), ('admins', 'Admins and owners'), ('chosen', 'Chosen members')], default='members', max_length=8)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('changed_at', models.DateTimeField()),
                ('last_used_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='TeamSecretUser',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='credential',
            name='credential_state_known',
        ),
        migrations.AddField(
            model_name='credential',
            name='expiry_told_days',
            field=models.PositiveSmallIntegerField(help_text='The last warning that the team got: so many days ahead of the expiry.', null=True),
        ),
        migrations.AddField(
            model_name='credential',
            name='managed_by',
            field=models.CharField(choices=[('admins', 'Admins and owners'), ('owners', 'Owners')], default='admins', max_length=8),
        ),
        migrations.AddField(
            model_name='credential',
            name='permissions',
            field=models.JSONField(default=dict, help_text='What the cloud was seen to allow this key: act to {allowed, at}.'),
        ),
        migrations.AddField(
            model_name='credential',
            name='retired_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='credential',
            name='successor',
            field=models.ForeignKey(help_text='What replaced it.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='predecessors', to='credentials.credential'),
        ),
        migrations.AddField(
            model_name='credential',
            name='usable_by',
            field=models.CharField(choices=[('members', 'Every member'), ('admins', 'Admins and owners'), ('chosen', 'Chosen members')], default='members', max_length=8),
        ),
        migrations.AlterField(
            model_name='credential',
            name='state',
            field=models.CharField(choices=[('active', 'Active'), ('broken', 'Broken'), ('disabled', 'Disabled'), ('retired', 'Retired'), ('gone', 'Gone')], default='active', max_length=8),
        ),
        migrations.AddConstraint(
            model_name='credential',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['active', 'broken', 'disabled', 'retired', 'gone'])), name='credential_state_known'),
        ),
        migrations.AddConstraint(
            model_name='credentialcaps',
            constraint=models.CheckConstraint(condition=models.Q(('task__in', ['', 'BATCH', 'PERSISTENT'])), name='credential_caps_task_known'),
        ),
        migrations.AddField(
            model_name='credentialuser',
            name='credential',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chosen', to='credentials.credential'),
        ),
        migrations.AddField(
            model_name='credentialuser',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='secretuse',
            name='team',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secret_uses', to='teams.team'),
        ),
        migrations.AddField(
            model_name='secretuse',
            name='user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='teamsecret',
            name='created_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='teamsecret',
            name='last_used_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='teamsecret',
            name='team',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to='teams.team'),
        ),
        migrations.AddField(
            model_name='teamsecretuser',
            name='secret',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chosen', to='credentials.teamsecret'),
        ),
        migrations.AddField(
            model_name='teamsecretuser',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='credentialuser',
            constraint=models.UniqueConstraint(fields=('credential', 'user'), name='credential_user_once'),
        ),
        migrations.AddIndex(
            model_name='secretuse',
            index=models.Index(fields=['team', '-day'], name='secret_use_of_team'),
        ),
        migrations.AddConstraint(
            model_name='secretuse',
            constraint=models.UniqueConstraint(fields=('kind', 'row_id', 'purpose', 'day', 'user'), name='secret_use_once_a_day'),
        ),
        migrations.AddConstraint(
            model_name='secretuse',
            constraint=models.UniqueConstraint(condition=models.Q(('user', None)), fields=('kind', 'row_id', 'purpose', 'day'), name='secret_use_of_nobody_once_a_day'),
        ),
        migrations.AddConstraint(
            model_name='teamsecret',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('name'), models.F('team'), name='team_secret_name_once_in_a_team'),
        ),
        migrations.AddConstraint(
            model_name='teamsecretuser',
            constraint=models.UniqueConstraint(fields=('secret', 'user'), name='team_secret_user_once'),
        ),
        migrations.AddField(
            model_name='teamsecret',
            name='hosts',
            field=models.JSONField(default=list, help_text='Registries that may be given it as a password, and nothing else may; empty: no such bound.'),
        ),
        migrations.AddField(
            model_name='keycanary',
            name='rows',
            field=models.PositiveIntegerField(help_text='How many secrets were sealed with it at the last check.', null=True),
        ),
        migrations.AddField(
            model_name='keycanary',
            name='unreadable',
            field=models.PositiveIntegerField(default=0, help_text='How many of them could not be opened.'),
        ),
        migrations.AddField(
            model_name='keycanary',
            name='checked_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.RemoveConstraint(
            model_name='credential',
            name='credential_key_belongs_to_one_team',
        ),
        migrations.RemoveConstraint(
            model_name='credential',
            name='credential_name_once_in_a_team',
        ),
        migrations.AddConstraint(
            model_name='credential',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'gone'), _negated=True), fields=('api_url', 'public_key'), name='credential_key_belongs_to_one_team'),
        ),
        migrations.AddConstraint(
            model_name='credential',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'gone'), _negated=True), fields=('team', 'name'), name='credential_name_once_in_a_team'),
        ),
        migrations.AddField(
            model_name='credential',
            name='refused_at',
            field=models.DateTimeField(help_text='Since then the cloud refuses this key, or it cannot be used here.', null=True),
        ),
    ]
