"""Brings a database from the first state of this app to that of 0.1.0. New ones begin with the squashed file."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models

from dispersed_web.accounts.ssh_keys import BadSshKey, parse_public_key


def keep_the_keys(apps, schema_editor):
    """Each person's one key becomes the first of their keys."""
    user_model, ssh_key = apps.get_model("accounts", "User"), apps.get_model("accounts", "SshKey")
    for user in user_model.objects.exclude(ssh_public_key=""):
        try:
            key = parse_public_key(user.ssh_public_key)
        except BadSshKey:
            continue  # no container would have taken it either
        ssh_key.objects.create(
            user=user, name=key.comment[:60] or "My key", line=key.line, fingerprint=key.fingerprint, is_default=True
        )


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='SshKey',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('line', models.TextField(help_text='As it stands in the .pub file.', verbose_name='public key')),
                ('fingerprint', models.CharField(max_length=60)),
                ('is_default', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ssh_keys', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'fingerprint'), name='ssh_key_once_per_user'), models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('user',), name='ssh_key_one_default')],
            },
        ),
        migrations.RunPython(keep_the_keys, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name='user',
            name='ssh_public_key',
        ),
        migrations.AddField(
            model_name='user',
            name='is_service',
            field=models.BooleanField(default=False, help_text="No person but a team's program: it has no password and gets no mail."),
        ),
        migrations.AddField(
            model_name='user',
            name='is_site_admin',
            field=models.BooleanField(default=False, help_text='Runs this installation: sees teams from outside, and may stop a job in an emergency.'),
        ),
        migrations.CreateModel(
            name='Throttle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40)),
                ('key_digest', models.CharField(help_text='Of the address, account or token that is counted.', max_length=64)),
                ('began_at', models.DateTimeField(db_index=True)),
                ('taken', models.PositiveIntegerField(default=1)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('name', 'key_digest'), name='throttle_once_for_a_key')],
            },
        ),
        migrations.CreateModel(
            name='SignInPlace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('address', 'Address'), ('browser', 'Browser')], max_length=8)),
                ('digest', models.CharField(max_length=64)),
                ('last_at', models.DateTimeField()),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sign_in_places', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'kind', 'digest'), name='sign_in_place_once')],
            },
        ),
        migrations.AddField(
            model_name='user',
            name='hides_first_steps',
            field=models.BooleanField(default=False, help_text='Whether the list of first steps is left out on their home pages.'),
        ),
    ]
