import datetime
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('jobs', '0002_to_0_1_0'),
    ]

    operations = [
        migrations.CreateModel(
            name='Bucket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='buckets', to='jobs.jobrun')),
                ('source', models.CharField(choices=[('heartbeat', 'Heartbeat'), ('log', 'Log')], max_length=9)),
                ('start', models.DateTimeField()),
                ('node', models.CharField(blank=True, default='', help_text='Which machine; empty where it does not say.', max_length=12)),
                ('count', models.PositiveIntegerField(default=1)),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('gap', models.DurationField(default=datetime.timedelta(0), help_text='The longest time between two samples in it.')),
                ('period_s', models.PositiveIntegerField(default=60, help_text='How often samples are meant to come.')),
                ('gpu_top', models.PositiveSmallIntegerField(help_text='Percent, of the busiest GPU.', null=True)),
                ('gpu_busy', models.PositiveIntegerField(default=0, help_text='How many samples were above the threshold.')),
                ('gpu_at', models.DateTimeField(null=True)),
                ('cpu_top', models.FloatField(help_text='Cores.', null=True)),
                ('cpu_at', models.DateTimeField(null=True)),
                ('net_top', models.BigIntegerField(help_text='Bytes a minute.', null=True)),
                ('net_at', models.DateTimeField(null=True)),
                ('ssh_open', models.PositiveSmallIntegerField(help_text='Open sessions, as last said.', null=True)),
                ('key_at', models.DateTimeField(help_text='The latest keystroke in any of them.', null=True)),
                ('busy_at', models.DateTimeField(help_text='Last time the workload called itself busy.', null=True)),
                ('phase', models.CharField(blank=True, max_length=40)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('lines', models.PositiveIntegerField(default=0, help_text='Distinct new lines that are no noise.')),
                ('lines_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['start'], name='bucket_by_age')],
                'constraints': [models.UniqueConstraint(fields=('run', 'source', 'start', 'node'), name='bucket_once'), models.CheckConstraint(condition=models.Q(('source__in', ['heartbeat', 'log'])), name='bucket_source_known')],
            },
        ),
        migrations.CreateModel(
            name='LogWatch',
            fields=[
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='log_watch', serialize=False, to='jobs.jobrun')),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('lease_until', models.DateTimeField(null=True)),
                ('read_at', models.DateTimeField(help_text='Last time the log could be read.', null=True)),
                ('tail', models.JSONField(default=list, help_text='Hashes of the last lines.')),
                ('failures', models.PositiveIntegerField(default=0)),
            ],
            options={
                'indexes': [models.Index(fields=['due_at'], name='log_watch_due')],
            },
        ),
    ]
