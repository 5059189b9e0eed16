"""People leave the list of first steps out for themselves."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0005_vouch_for_everybody")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="user",
            name="hides_first_steps",
            field=models.BooleanField(
                default=False, help_text="Whether the list of first steps is left out on their home pages."
            ),
        ),
    ]
