"""Standard names for models and fields. Tables and columns keep their names: nothing in the database changes."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

RENAMED_MODELS = {  # old name -> (new name, table)
    "Mail": ("Notification", "screening_mail"),
    "Forgotten": ("ErasureCount", "screening_forgotten"),
    "CountedHour": ("RateLimitWindow", "screening_countedhour"),
    "Attempts": ("RateLimitCount", "screening_attempts"),
}
ACTIONS = [
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
    ("read_log", "Read the log"),
    ("account", "Accounts"),
    ("refused", "Was refused"),
    ("damage", "Damage to this log was accepted"),
]
RENAMED_FIELDS = [  # (model, old name, new name, the field)
    ("logline", "at", "timestamp", models.DateTimeField("when", db_column="at")),
    ("logline", "who", "actor", models.CharField("who", max_length=150, blank=True, db_column="who")),
    ("logline", "what", "action", models.CharField("what", max_length=16, choices=ACTIONS, db_column="what")),
    (
        "notification",
        "why",
        "reason",
        models.CharField(max_length=8, choices=[("urgent", "Urgent"), ("call", "Wants a call")], db_column="why"),
    ),
    (
        "notification",
        "made_at",
        "created_at",
        models.DateTimeField(default=django.utils.timezone.now, db_column="made_at"),
    ),
    ("notification", "tries", "attempts", models.PositiveSmallIntegerField(default=0, db_column="tries")),
    (
        "notification",
        "next_at",
        "next_attempt_at",
        models.DateTimeField(default=django.utils.timezone.now, db_column="next_at"),
    ),
    (
        "erasurecount",
        "why",
        "reason",
        models.CharField(
            "why",
            max_length=16,
            choices=[
                ("erased", "Erased by the person"),
                ("expired", "Time was up"),
                ("contact", "Contact details, after the case was closed"),
            ],
            db_column="why",
        ),
    ),
    (
        "erasurecount",
        "last_at",
        "last_run_at",
        models.DateTimeField("last at", default=django.utils.timezone.now, db_column="last_at"),
    ),
    (
        "ratelimitwindow",
        "begins",
        "starts_at",
        models.DateTimeField(primary_key=True, serialize=False, db_column="begins"),
    ),
    ("ratelimitcount", "what", "limit", models.CharField(max_length=16, db_column="what")),
    ("ratelimitcount", "place", "client", models.CharField(max_length=32, db_column="place")),
    (
        "ratelimitcount",
        "hour",
        "window",
        models.ForeignKey(
            on_delete=django.db.models.deletion.CASCADE, to="screening.ratelimitwindow", db_column="hour_id"
        ),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("screening", "0007_log_and_mail")]

    operations = [
        # At the top level, so that the content types are renamed too. With the table named, they alter nothing else.
        *(
            operation
            for old, (new, table) in RENAMED_MODELS.items()
            for operation in (migrations.AlterModelTable(old, table), migrations.RenameModel(old, new))
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex("logline", "log_what"),
                migrations.RemoveIndex("logline", "log_who"),
                migrations.RemoveIndex("notification", "mail_unsent"),
                migrations.RemoveConstraint("notification", "told_once"),
                migrations.RemoveConstraint("erasurecount", "one_count_a_day"),
                migrations.RemoveConstraint("ratelimitcount", "one_count_an_hour"),
                *(
                    operation
                    for model, old, new, field in RENAMED_FIELDS
                    for operation in (
                        migrations.RenameField(model, old, new),
                        migrations.AlterField(model, new, field),
                    )
                ),
                migrations.AddIndex("logline", models.Index(fields=["action", "-number"], name="log_what")),
                migrations.AddIndex("logline", models.Index(fields=["actor", "-number"], name="log_who")),
                migrations.AddIndex(
                    "notification",
                    models.Index(fields=["next_attempt_at"], name="mail_unsent", condition=models.Q(sent_at=None)),
                ),
                migrations.AddConstraint(
                    "notification", models.UniqueConstraint(fields=("submission", "reason"), name="told_once")
                ),
                migrations.AddConstraint(
                    "erasurecount", models.UniqueConstraint(fields=("day", "reason"), name="one_count_a_day")
                ),
                migrations.AddConstraint(
                    "ratelimitcount",
                    models.UniqueConstraint(fields=("limit", "client", "window"), name="one_count_an_hour"),
                ),
                migrations.AlterModelOptions(
                    "notification",
                    {
                        "default_permissions": (),
                        "verbose_name": "notification to staff",
                        "verbose_name_plural": "notifications to staff",
                    },
                ),
                migrations.AlterModelOptions(
                    "ratelimitwindow",
                    {
                        "default_permissions": (),
                        "verbose_name": "rate limit windows",
                        "verbose_name_plural": "rate limit windows",
                    },
                ),
                migrations.AlterModelOptions(
                    "ratelimitcount",
                    {
                        "default_permissions": (),
                        "verbose_name": "rate limit counts",
                        "verbose_name_plural": "rate limit counts",
                    },
                ),
            ]
        ),
    ]
