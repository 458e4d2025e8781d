"""When each case is due takes the place of its rank."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import migrations, models
from django.db.models import F, OuterRef, Subquery


def fill(apps, schema_editor):
    """As the desk would have set it: a request for a call is due since it was made, and what nobody has opened since a
    day after it came, or at once if it is urgent. What someone has opened, and whose person nobody can reach, waits."""
    submissions = apps.get_model("screening", "Submission").objects
    contacts = apps.get_model("screening", "Contact").objects
    asked = contacts.filter(submission=OuterRef("pk")).values("asked_at")[:1]
    asked_since = submissions.filter(status="closed", contact__asked_at__gt=F("status_at"))
    asked_since.update(status="in_progress", outcome="")  # until now it was in no queue
    open_cases = submissions.exclude(status="closed")
    open_cases.update(due_at=datetime(9000, 1, 1, tzinfo=UTC))
    unread = open_cases.filter(opened_at=None)
    unread.filter(urgency__gte=2).update(due_at=F("received_at"))
    unread.filter(urgency__lt=2).update(due_at=F("received_at") + timedelta(days=1))
    open_cases.filter(contact__isnull=False).update(due_at=Subquery(asked))


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0018_channel"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="submission",
            options={
                "default_permissions": ("view", "add", "change"),
                "ordering": ("-received_at",),
                "permissions": (
                    ("export_submission", "Can export submissions"),
                    ("view_agreement", "Can see how far staff and rules agree"),
                ),
                "verbose_name": "submission",
                "verbose_name_plural": "submissions",
            },
        ),
        migrations.RemoveIndex(
            model_name="submission",
            name="submission_rank",
        ),
        migrations.RemoveIndex(
            model_name="submission",
            name="submission_urgency",
        ),
        migrations.RemoveIndex(
            model_name="submission",
            name="submission_program",
        ),
        migrations.RemoveIndex(
            model_name="submission",
            name="submission_close_call",
        ),
        migrations.RemoveIndex(
            model_name="submission",
            name="submission_wants_call",
        ),
        migrations.RemoveIndex(
            model_name="submission",
            name="submission_status",
        ),
        migrations.RemoveIndex(
            model_name="submission",
            name="submission_assigned_to",
        ),
        migrations.RemoveIndex(
            model_name="submission",
            name="submission_touched_by",
        ),
        migrations.RemoveIndex(
            model_name="submission",
            name="submission_unread",
        ),
        migrations.RemoveIndex(
            model_name="submission",
            name="submission_signs",
        ),
        migrations.RemoveIndex(
            model_name="submission",
            name="submission_status_since",
        ),
        migrations.RemoveIndex(
            model_name="submission",
            name="submission_channel",
        ),
        migrations.RemoveField(
            model_name="submission",
            name="rank",
        ),
        migrations.AddField(
            model_name="submission",
            name="due_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="due"),
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
                    ("asked", "Asked for a call"),
                    ("asked_anew", "Changed how to reach them"),
                    ("withdrawn", "Took back the request for a call"),
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
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
