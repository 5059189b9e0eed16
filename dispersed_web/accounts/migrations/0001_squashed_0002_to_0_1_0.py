"""A new database begins here; one from before this file was made goes through those it replaces."""

import dispersed_web.accounts.models
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('accounts', '0001_initial'), ('accounts', '0002_to_0_1_0')]

    initial = True

    dependencies = [
    ]

    operations = [
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
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('email', models.EmailField(max_length=254, unique=True)),
                ('name', models.CharField(blank=True, max_length=80)),
                ('time_zone', models.CharField(default='UTC', max_length=64, validators=[dispersed_web.accounts.models.validate_time_zone])),
                ('is_active', models.BooleanField(default=True)),
                ('is_service', models.BooleanField(default=False, help_text="No person but a team's program: it has no password and gets no mail.")),
                ('is_site_admin', models.BooleanField(default=False, help_text='Runs this installation: sees teams from outside, and may stop a job in an emergency.')),
                ('hides_first_steps', models.BooleanField(default=False, help_text='Whether the list of first steps is left out on their home pages.')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='user_email_once_whatever_the_case')],
            },
        ),
        migrations.CreateModel(
            name='SignInPlace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sign_in_places', to=settings.AUTH_USER_MODEL)),
                ('kind', models.CharField(choices=[('address', 'Address'), ('browser', 'Browser')], max_length=8)),
                ('digest', models.CharField(max_length=64)),
                ('last_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'kind', 'digest'), name='sign_in_place_once')],
            },
        ),
        migrations.CreateModel(
            name='SshKey',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ssh_keys', to=settings.AUTH_USER_MODEL)),
                ('name', models.CharField(max_length=60)),
                ('line', models.TextField(help_text='As it stands in the .pub file.', verbose_name='public key')),
                ('fingerprint', models.CharField(max_length=60)),
                ('is_default', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'fingerprint'), name='ssh_key_once_per_user'), models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('user',), name='ssh_key_one_default')],
            },
        ),
    ]
