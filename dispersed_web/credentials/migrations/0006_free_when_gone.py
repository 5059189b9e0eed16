"""Key and name of a credential whose secret is destroyed are free again."""

from django.db import migrations, models

ALIVE = ~models.Q(state="gone")


class Migration(migrations.Migration):
    dependencies = [("credentials", "0005_what_a_check_found")]

    operations = [
        migrations.RemoveConstraint("credential", "credential_key_belongs_to_one_team"),
        migrations.RemoveConstraint("credential", "credential_name_once_in_a_team"),
        migrations.AddConstraint(
            "credential",
            models.UniqueConstraint(
                fields=["api_url", "public_key"],
                condition=ALIVE,
                name="credential_key_belongs_to_one_team",
            ),
        ),
        migrations.AddConstraint(
            "credential",
            models.UniqueConstraint(
                fields=["team", "name"], condition=ALIVE, name="credential_name_once_in_a_team"
            ),
        ),
    ]
