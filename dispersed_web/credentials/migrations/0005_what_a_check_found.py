"""What the last check of the stored secrets found, beside each key's canary."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("credentials", "0004_team_secret_hosts")]

    operations = [
        migrations.AddField(
            model_name="keycanary",
            name="rows",
            field=models.PositiveIntegerField(
                null=True, help_text="How many secrets were sealed with it at the last check."
            ),
        ),
        migrations.AddField(
            model_name="keycanary",
            name="unreadable",
            field=models.PositiveIntegerField(
                default=0, help_text="How many of them could not be opened."
            ),
        ),
        migrations.AddField(
            model_name="keycanary", name="checked_at", field=models.DateTimeField(null=True)
        ),
    ]
