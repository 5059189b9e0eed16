"""Brings a database from the first state of this app to that of 0.1.0. New ones begin with the squashed file."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from dispersed_web.events import append_only


def install(apps, schema_editor):
    columns = [field.column for field in apps.get_model('events', 'Event')._meta.concrete_fields]
    append_only.install(schema_editor.connection, columns)


def remove(apps, schema_editor):
    append_only.remove(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0001_initial'),
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
            ],
        ),
        migrations.AddField(
            model_name='event',
            name='chain_hash',
            field=models.CharField(blank=True, help_text='SHA-256 over it and the one before it.', max_length=64),
        ),
        migrations.AddField(
            model_name='event',
            name='chain_number',
            field=models.BigIntegerField(help_text="Its place in its team's chain; empty until it is chained.", null=True),
        ),
        migrations.AddField(
            model_name='event',
            name='ip_address',
            field=models.GenericIPAddressField(null=True),
        ),
        migrations.AddField(
            model_name='event',
            name='request_id',
            field=models.CharField(blank=True, max_length=36),
        ),
        migrations.AddField(
            model_name='event',
            name='user_agent',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AlterField(
            model_name='event',
            name='audience',
            field=models.CharField(blank=True, choices=[('', 'Nobody'), ('job_owner', 'Job Owner'), ('admins', 'Admins'), ('person', 'Person'), ('owners', 'Owners')], max_length=12),
        ),
        migrations.AlterField(
            model_name='event',
            name='team',
            field=models.ForeignKey(help_text="Empty for what concerns one person's account alone.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='teams.team'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('chain_number', None)), fields=['id'], name='event_to_chain'),
        ),
        migrations.AddConstraint(
            model_name='event',
            constraint=models.UniqueConstraint(fields=('team', 'chain_number'), name='event_once_in_its_chain'),
        ),
        migrations.AddField(
            model_name='chainhead',
            name='checked_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='chainhead',
            name='checked_number',
            field=models.BigIntegerField(default=0, help_text='Up to here it was whole.'),
        ),
        migrations.AddField(
            model_name='chainhead',
            name='fault',
            field=models.TextField(blank=True, help_text='The first thing that is wrong with it, as a sentence.'),
        ),
        migrations.RunPython(install, remove),
    ]
