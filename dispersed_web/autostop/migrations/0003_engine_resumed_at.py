from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("autostop", "0002_engine_late_told_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="engine",
            name="away_since",
            field=models.DateTimeField(
                help_text="Begin of the last outage that gave notice anew.", null=True
            ),
        ),
        migrations.AddField(
            model_name="engine",
            name="resumed_at",
            field=models.DateTimeField(help_text="Its end.", null=True),
        ),
    ]
