"""Counts that outlive what is erased, beginning with what is on file, and answers at the code."""

from collections import Counter

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models import F

import screening.models.counts
from screening.models.counts import week_of


def count_what_is_on_file(apps, schema_editor):
    """Count what was saved, tried, judged, and how cases ended; how long people waited is counted from now on."""
    submission, review, attempt = (apps.get_model("screening", name) for name in ("Submission", "Review", "Try"))
    apps.get_model("screening", "Contact").objects.update(waiting_since=F("asked_at"))
    found = Counter()
    cases = submission.objects.values_list("received_at", "channel", "program", "outcome", "status_at", "is_test")
    for received_at, channel, program, outcome, status_at, is_test in cases.order_by("pk").iterator():
        found[week_of(received_at), "saved", channel, is_test] += 1
        if outcome:
            found[week_of(status_at), "outcome", f"{program}/{outcome}", is_test] += 1
    tries = attempt.objects.filter(struck_at=None).values_list("made_at", "result", "submission__is_test")
    for made_at, result, is_test in tries.order_by("pk").iterator():
        found[week_of(made_at), "tried", result, is_test] += 1
    counted = {}
    for row in review.objects.select_related("submission").order_by("recorded_at", "pk").iterator():
        if not row.submission.blind:
            counted[row.submission_id] = row
        elif row.blind:
            counted.setdefault(row.submission_id, row)
    for row in counted.values():
        case = row.submission
        kind = "blind" if row.blind else "seen" if case.channel == "online" else "assisted"
        rules = "either" if row.program == "either" and case.close_call else case.program
        cell = f"{case.rules_version}/{kind}/{rules}/{row.program}"
        found[week_of(row.recorded_at), "judged", cell, case.is_test] += 1
    apps.get_model("screening", "Count").objects.bulk_create(
        apps.get_model("screening", "Count")(week=week, what=what, key=key, number=number, is_test=is_test)
        for (week, what, key, is_test), number in found.items()
    )


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0023_safety"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Count",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("week", models.DateField(default=screening.models.counts.week_of, verbose_name="week that begins on")),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("begun", "Page begun"),
                            ("done", "Page answered"),
                            ("viewed", "Saw the result without saving"),
                            ("saved", "Saved"),
                            ("source", "Came from"),
                            ("asked", "Asked for a call"),
                            ("tried", "Attempts"),
                            ("first_try", "From the request to the first attempt"),
                            ("reached", "From the request until reached"),
                            ("outcome", "Outcome"),
                            ("judged", "Agreement"),
                        ],
                        max_length=16,
                        verbose_name="what",
                    ),
                ),
                ("key", models.CharField(blank=True, max_length=64, verbose_name="of which kind")),
                ("number", models.IntegerField(verbose_name="how many")),
                ("is_test", models.BooleanField(default=False)),
            ],
            options={
                "verbose_name": "count",
                "verbose_name_plural": "counts",
                "default_permissions": ("view",),
            },
        ),
        migrations.AddField(
            model_name="contact",
            name="waiting_since",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.AddField(
            model_name="try",
            name="counted_first",
            field=models.CharField(blank=True, max_length=8),
        ),
        migrations.AddField(
            model_name="try",
            name="counted_reached",
            field=models.CharField(blank=True, max_length=8),
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
                    ("replied", "Left an answer at the code"),
                    ("struck_out", "Struck out an entry"),
                    ("asked", "Asked for a call"),
                    ("asked_anew", "Changed how to reach them"),
                    ("withdrawn", "Withdrew the call request"),
                    ("exported", "Exported"),
                    ("compared", "Opened “How we are doing”"),
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
        migrations.CreateModel(
            name="Reply",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sentence", models.CharField(max_length=32, verbose_name="sentence")),
                ("left_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="left")),
                ("struck_at", models.DateTimeField(null=True, verbose_name="struck out")),
                (
                    "attempt",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="screening.try"
                    ),
                ),
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
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replies",
                        to="screening.submission",
                        verbose_name="submission",
                    ),
                ),
            ],
            options={
                "verbose_name": "answer at the code",
                "verbose_name_plural": "answers at the code",
                "ordering": ("left_at", "pk"),
                "default_permissions": (),
            },
        ),
        migrations.RunPython(count_what_is_on_file, migrations.RunPython.noop),
    ]
