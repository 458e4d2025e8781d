"""Results reported as unsafe, a pilot of blind reviews, and cases that a colleague assigned."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import screening.fields


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0022_accounts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BlindPilot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("left", models.PositiveIntegerField()),
            ],
            options={
                "verbose_name": "blind pilot",
                "verbose_name_plural": "blind pilot",
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="submission",
            name="newly_assigned",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AlterField(
            model_name="logline",
            name="action",
            field=models.CharField(
                choices=[
                    ("signed_in", "Signed in"),
                    ("signed_out", "Signed out"),
                    ("not_signed_in", "Wrong password or code"),
                    ("locked_out", "Locked out for a time"),
                    ("codes", "Set up the second factor"),
                    ("front_page", "Opened the front page"),
                    ("listed", "Opened a list"),
                    ("opened", "Opened"),
                    ("revealed", "Viewed contact details"),
                    ("printed", "Opened the print view"),
                    ("changed", "Changed"),
                    ("noted", "Added a note"),
                    ("reviewed", "Added a review"),
                    ("unsafe", "Reported the result as unsafe"),
                    ("unsafe_read", "Went through a result reported as unsafe"),
                    ("tried", "Tried to reach the person"),
                    ("struck_out", "Struck out an entry"),
                    ("asked", "Asked for a call"),
                    ("asked_anew", "Changed how to reach them"),
                    ("withdrawn", "Withdrew the call request"),
                    ("exported", "Exported"),
                    ("compared", "Opened the agreement page"),
                    ("replayed", "Asked other rules about what is on file"),
                    ("assisted", "Saved a screening with someone"),
                    ("center", "Changed the facts of the center"),
                    ("read_log", "Read the log"),
                    ("account", "Accounts"),
                    ("refused", "Was refused"),
                    ("damage", "Damage to this log was accepted"),
                ],
                db_column="what",
                max_length=16,
                verbose_name="what",
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="reason",
            field=models.CharField(
                choices=[
                    ("urgent", "Urgent"),
                    ("call", "Wants a call"),
                    ("assigned", "Assigned to you"),
                    ("unsafe", "Reported as unsafe"),
                    ("phone", "The center’s phone was changed"),
                    ("account", "An account at the desk was changed"),
                ],
                db_column="why",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="review",
            name="program",
            field=models.CharField(
                choices=[("iop", "IOP"), ("inpatient", "Inpatient"), ("either", "Either program fits")],
                max_length=16,
                verbose_name="your recommendation",
            ),
        ),
        migrations.CreateModel(
            name="UnsafeResult",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", screening.fields.EncryptedTextField(max_length=500, verbose_name="reason")),
                ("reported_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="reported")),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                (
                    "read_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="unsafe",
                        to="screening.submission",
                        verbose_name="submission",
                    ),
                ),
            ],
            options={
                "verbose_name": "unsafe result",
                "verbose_name_plural": "unsafe results",
                "ordering": ("-reported_at", "-pk"),
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(
                condition=models.Q(("newly_assigned", True)),
                fields=["assigned_to", "-urgency", "due_at", "received_at"],
                name="newly_assigned",
            ),
        ),
    ]
