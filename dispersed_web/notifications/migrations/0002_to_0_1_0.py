"""Brings a database from the first state of this app to that of 0.1.0. New ones begin with the squashed file."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0001_initial'),
        ('jobs', '0002_to_0_1_0'),
        ('notifications', '0001_initial'),
        ('teams', '0002_to_0_1_0'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Wishes',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='notice_wishes', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('email_my_jobs', models.BooleanField(default=True)),
            ],
        ),
        migrations.AddField(
            model_name='delivery',
            name='claimed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='delivery',
            name='read_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='way',
            field=models.CharField(choices=[('email', 'E-mail'), ('inbox', 'Inbox'), ('webhook', 'Webhook')], default='email', max_length=8),
        ),
        migrations.CreateModel(
            name='ActLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('act', models.CharField(choices=[('extend', 'Extend'), ('stop', 'Stop'), ('keep', 'Keep')], max_length=6)),
                ('minutes', models.PositiveSmallIntegerField(null=True)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('used_at', models.DateTimeField(null=True)),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to='notifications.delivery')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='jobs.job')),
            ],
        ),
        migrations.CreateModel(
            name='Channel',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('slack', 'Slack or compatible'), ('discord', 'Discord'), ('json', 'JSON')], max_length=8)),
                ('url_sealed', models.TextField()),
                ('host', models.CharField(max_length=253)),
                ('tail', models.CharField(blank=True, max_length=4)),
                ('active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now, help_text='When the address was set; links posted before act no more.')),
                ('last_success_at', models.DateTimeField(null=True)),
                ('last_failure_at', models.DateTimeField(null=True)),
                ('last_error', models.TextField(blank=True, help_text='As a sentence, without the address.')),
                ('failures', models.PositiveIntegerField(default=0, help_text='In a row.')),
                ('quiet_until', models.DateTimeField(help_text='Nothing is sent before.', null=True)),
                ('alarmed_at', models.DateTimeField(help_text='When admins were told that it fails.', null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='channel', to='teams.team')),
            ],
        ),
        migrations.AddField(
            model_name='delivery',
            name='channel',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='notifications.channel'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'sending')), fields=['claimed_at'], name='delivery_under_way'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('read_at__isnull', True), ('way', 'inbox')), fields=['user'], name='delivery_unread'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('way', 'inbox')), fields=['user', '-id'], name='delivery_in_inbox'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('event', 'channel'), name='delivery_once_to_a_channel'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('channel__isnull', False), ('user', None), ('way', 'webhook')), models.Q(('channel', None), ('user__isnull', False), ('way__in', ['email', 'inbox'])), _connector='OR'), name='delivery_has_one_reader'),
        ),
        migrations.AddConstraint(
            model_name='actlink',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('act', 'extend'), ('minutes__gte', 1), ('minutes__lte', 240)), models.Q(('act__in', ['stop', 'keep']), ('minutes', None)), _connector='OR'), name='act_link_is_complete'),
        ),
        migrations.AddConstraint(
            model_name='channel',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['slack', 'discord', 'json'])), name='channel_kind_known'),
        ),
        migrations.AddField(
            model_name='channel',
            name='signing_sealed',
            field=models.TextField(blank=True, help_text='What messages are signed with; empty: they are not signed.'),
        ),
        migrations.AddField(
            model_name='channel',
            name='signing_since',
            field=models.DateTimeField(null=True),
        ),
    ]
