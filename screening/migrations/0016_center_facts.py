"""The facts of the center, mail about the desk itself, longer details in the log."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from screening import audit_triggers

LINES = ("screening_logline",)


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0015_after"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CenterFacts",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("facts", models.JSONField(default=dict)),
                ("told_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name": "facts of the center",
                "verbose_name_plural": "facts of the center",
                "ordering": ("pk",),
                "default_permissions": ("change",),
            },
        ),
        migrations.AddField(
            model_name="notification",
            name="text",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="notification",
            name="to",
            field=models.TextField(blank=True),
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
                    ("revealed", "Uncovered how to reach the person"),
                    ("printed", "Opened the print view"),
                    ("changed", "Changed"),
                    ("noted", "Added a note"),
                    ("reviewed", "Added a review"),
                    ("withdrawn", "Took back the request for a call"),
                    ("exported", "Exported"),
                    ("compared", "Opened the agreement page"),
                    ("replayed", "Asked other rules about what is on file"),
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
        # On SQLite this makes the table anew, without its triggers.
        migrations.RunPython(
            lambda apps, editor: audit_triggers.drop(LINES), lambda apps, editor: audit_triggers.create(LINES)
        ),
        migrations.AlterField(
            model_name="logline",
            name="detail",
            field=models.CharField(blank=True, max_length=4500, verbose_name="more"),
        ),
        migrations.RunPython(
            lambda apps, editor: audit_triggers.create(LINES), lambda apps, editor: audit_triggers.drop(LINES)
        ),
        migrations.AlterField(
            model_name="notification",
            name="reason",
            field=models.CharField(
                choices=[("urgent", "Urgent"), ("call", "Wants a call"), ("phone", "The center’s phone was changed")],
                db_column="why",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="submission",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="screening.submission"
            ),
        ),
    ]
