import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('jobs', '0002_to_0_1_0'),
        ('teams', '0002_to_0_1_0'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BudgetMark',
            fields=[
                ('key', models.CharField(help_text='Whose budget, of which period, and the percent.', max_length=120, primary_key=True, serialize=False)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='budget_marks', to='teams.team')),
                ('percent', models.PositiveSmallIntegerField()),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Engine',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('trusted_since', models.DateTimeField(help_text='Idleness is inferred only from what was observed since then.', null=True)),
                ('why', models.CharField(blank=True, help_text='Why trust began anew.', max_length=120)),
                ('away_since', models.DateTimeField(help_text='Begin of the last outage that gave notice anew.', null=True)),
                ('resumed_at', models.DateTimeField(help_text='Its end.', null=True)),
                ('receiver_ok_at', models.DateTimeField(help_text='Last time the heartbeat address answered.', null=True)),
                ('receiver_failed_at', models.DateTimeField(null=True)),
                ('receiver_error', models.CharField(blank=True, max_length=120)),
                ('late_told_at', models.DateTimeField(help_text='When people were told that the engine is late.', null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='engine_is_one')],
            },
        ),
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='holds', to='teams.team')),
                ('kind', models.CharField(choices=[('many_due', 'Many Due'), ('all_silent', 'All Silent')], max_length=10)),
                ('opened_at', models.DateTimeField()),
                ('sentence', models.TextField()),
                ('job_ids', models.JSONField(default=list)),
                ('proven_since', models.DateTimeField(help_text="Since then every watched job's signal is fresh again.", null=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decision', models.CharField(blank=True, choices=[('stop', 'Stop'), ('keep', 'Keep'), ('passed', 'Passed')], max_length=6)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('decided_at', None)), fields=('team',), name='one_open_hold_a_team')],
            },
        ),
        migrations.CreateModel(
            name='ObservedStop',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='observed_stops', to='teams.team')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='observed_stops', to='jobs.job')),
                ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='jobs.jobrun')),
                ('at', models.DateTimeField(help_text='When it would have been stopped.')),
                ('quiet_since', models.DateTimeField()),
                ('sentence', models.TextField()),
                ('hourly_rate_usd', models.DecimalField(decimal_places=4, max_digits=10, null=True)),
                ('used_again_at', models.DateTimeField(null=True)),
                ('used_again', models.CharField(blank=True, help_text='By what, in words.', max_length=120)),
            ],
            options={
                'indexes': [models.Index(fields=['team', '-at'], name='observed_of_team')],
                'constraints': [models.UniqueConstraint(fields=('job', 'quiet_since'), name='observed_once_per_quiet_time')],
            },
        ),
        migrations.CreateModel(
            name='VerdictChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='verdicts', to='jobs.job')),
                ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='jobs.jobrun')),
                ('at', models.DateTimeField()),
                ('state', models.CharField(max_length=10)),
                ('rule', models.CharField(blank=True, max_length=20)),
                ('confidence', models.CharField(max_length=6)),
                ('stop_at', models.DateTimeField(null=True)),
                ('sentence', models.TextField()),
                ('evidence', models.JSONField(default=list)),
            ],
            options={
                'indexes': [models.Index(fields=['job', '-at'], name='verdicts_of_job')],
            },
        ),
    ]
