"""What the desk keeps of an account: whether its password is temporary, and whether it wants mail."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0021_attempts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="StaffMember",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("password_is_temporary", models.BooleanField(default=False)),
                (
                    "mail_when_assigned",
                    models.BooleanField(default=False, verbose_name="Mail me when a case is assigned to me"),
                ),
            ],
            options={
                "verbose_name": "member of staff",
                "verbose_name_plural": "members of staff",
                "default_permissions": (),
            },
        ),
    ]
