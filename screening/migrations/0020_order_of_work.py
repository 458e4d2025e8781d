"""Indexes in the order of work, and the rule that each open case is due."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("screening", "0019_due_at")]

    operations = [
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["-received_at"], name="submission_received"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["status", "-received_at"], name="submission_status"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["assigned_to", "-received_at"], name="submission_assigned_to"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["channel", "-received_at"], name="submission_channel"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["-urgency", "due_at", "received_at"],
                name="submission_open",
            ),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["assigned_to", "-urgency", "due_at", "received_at"],
                name="open_assigned_to",
            ),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["wants_call", "-urgency", "due_at", "received_at"],
                name="open_wants_call",
            ),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["close_call", "-urgency", "due_at", "received_at"],
                name="open_close_call",
            ),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False), ("opened_at", None)),
                fields=["-urgency", "due_at", "received_at"],
                name="open_unread",
            ),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("due_at", None), ("status", "closed")),
                    models.Q(models.Q(("status", "closed"), _negated=True), ("due_at__isnull", False)),
                    _connector="OR",
                ),
                name="open_case_is_due",
            ),
        ),
    ]
