"""A new database begins here; one from before this file was made goes through those it replaces."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('events', '0001_initial'), ('events', '0002_to_0_1_0')]

    initial = True

    dependencies = [
        ('teams', '0002_to_0_1_0'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ChainHead',
            fields=[
                ('scope', models.CharField(help_text="The team's uuid, or accounts.", max_length=36, primary_key=True, serialize=False)),
                ('number', models.BigIntegerField(default=0)),
                ('hash', models.CharField(blank=True, max_length=64)),
                ('checked_at', models.DateTimeField(null=True)),
                ('checked_number', models.BigIntegerField(default=0, help_text='Up to here it was whole.')),
                ('fault', models.TextField(blank=True, help_text='The first thing that is wrong with it, as a sentence.')),
            ],
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('team', models.ForeignKey(help_text="Empty for what concerns one person's account alone.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='teams.team')),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(help_text='noun.verb, such as job.launched', max_length=40)),
                ('subject_type', models.CharField(max_length=20)),
                ('subject_id', models.CharField(max_length=36)),
                ('actor_kind', models.CharField(choices=[('person', 'Person'), ('token', 'Token'), ('engine', 'Engine'), ('cloud', 'Cloud')], max_length=8)),
                ('actor_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('actor_label', models.CharField(max_length=120)),
                ('sentence', models.TextField()),
                ('data', models.JSONField(default=dict)),
                ('audience', models.CharField(blank=True, choices=[('', 'Nobody'), ('job_owner', 'Job Owner'), ('admins', 'Admins'), ('person', 'Person'), ('owners', 'Owners')], max_length=12)),
                ('fanned_out_at', models.DateTimeField(null=True)),
                ('ip_address', models.GenericIPAddressField(null=True)),
                ('user_agent', models.CharField(blank=True, max_length=200)),
                ('request_id', models.CharField(blank=True, max_length=36)),
                ('chain_number', models.BigIntegerField(help_text="Its place in its team's chain; empty until it is chained.", null=True)),
                ('chain_hash', models.CharField(blank=True, help_text='SHA-256 over it and the one before it.', max_length=64)),
            ],
            options={
                'indexes': [models.Index(fields=['subject_type', 'subject_id', '-id'], name='event_of_subject'), models.Index(fields=['team', '-id'], name='event_of_team'), models.Index(condition=models.Q(('fanned_out_at', None), models.Q(('audience', ''), _negated=True)), fields=['id'], name='event_to_fan_out'), models.Index(condition=models.Q(('chain_number', None)), fields=['id'], name='event_to_chain')],
                'constraints': [models.UniqueConstraint(fields=('team', 'chain_number'), name='event_once_in_its_chain')],
            },
        ),
    ]
