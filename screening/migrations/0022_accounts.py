"""What the desk keeps of an account, and the changes of accounts that another manager is to see."""

import django.db.models.deletion
import django.utils.timezone
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
        migrations.AlterField(
            model_name="notification",
            name="reason",
            field=models.CharField(
                choices=[
                    ("urgent", "Urgent"),
                    ("call", "Wants a call"),
                    ("phone", "The center’s phone was changed"),
                    ("account", "An account at the desk was changed"),
                ],
                db_column="why",
                max_length=8,
            ),
        ),
        migrations.CreateModel(
            name="AccountChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("roles", "%(account)s was given: %(roles)s."),
                            ("password", "A new password was set for %(account)s."),
                            ("second_factor", "The second factor of %(account)s was reset."),
                            ("no_manager", "%(account)s no longer manages the accounts."),
                            ("email", "The e-mail address of %(account)s was changed."),
                        ],
                        max_length=16,
                    ),
                ),
                ("roles", models.CharField(blank=True, max_length=100)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "seen_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "change of an account",
                "verbose_name_plural": "changes of accounts",
                "ordering": ("made_at",),
                "default_permissions": (),
            },
        ),
    ]
