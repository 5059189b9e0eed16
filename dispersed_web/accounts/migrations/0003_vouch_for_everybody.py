from django.db import migrations
from django.db.models.functions import Lower


def vouch_for_everybody(apps, schema_editor):
    """From now on only who confirmed their address signs in. All accounts so far were made by an operator, so theirs are."""
    address = apps.get_model("account", "EmailAddress")
    for user in apps.get_model("accounts", "User").objects.annotate(lower=Lower("email")).iterator():
        address.objects.filter(user=user, primary=True).exclude(email=user.lower).update(primary=False)
        address.objects.update_or_create(
            user=user, email=user.lower, defaults={"verified": True, "primary": True}
        )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_to_0_1_0"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations = [migrations.RunPython(vouch_for_everybody, migrations.RunPython.noop)]
