"""Since when the cloud refuses a key, also of a credential that is disabled or retired."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("credentials", "0006_free_when_gone")]

    operations = [
        migrations.AddField(
            model_name="credential",
            name="refused_at",
            field=models.DateTimeField(
                null=True,
                help_text="Since then the cloud refuses this key, or it cannot be used here.",
            ),
        ),
    ]
