"""Answers, results and reasons are encrypted, and what the figures of agreement are made of is sealed."""

import json

import django.utils.timezone
from django.db import migrations, models

import screening.fields
from screening.encryption import seals
from screening.models.keys import refuse_wrong_keys, sealed_content

BATCH = 500
BOOLEANS = ("close_call", "blind")  # SQLite gives 0 and 1
SUBMISSION = [
    "reference",
    "answers",
    "result",
    "program",
    "urgency",
    "close_call",
    "rules_version",
    "language",
    "blind",
]
REVIEW = ["submission_id", "program", "agrees", "blind", "reason", "author_id", "recorded_at"]


def encrypt_submissions(apps, editor):
    field = screening.fields.EncryptedJSONField(name="answers")
    cursor, last = editor.connection.cursor(), -1
    while True:
        cursor.execute(
            "SELECT id, reference, answers, result, program, urgency, close_call, rules_version, language, blind "
            "FROM screening_submission WHERE id > %s ORDER BY id LIMIT %s",
            [last, BATCH],
        )
        rows = cursor.fetchall()
        if not rows:
            return
        changes = []
        for last, *values in rows:
            row = dict(zip(SUBMISSION, values, strict=True))
            row |= {name: json.loads(row[name]) for name in ("answers", "result")}
            row |= {name: bool(row[name]) for name in BOOLEANS}
            seal = seals("screening_submission", json.dumps([row[name] for name in SUBMISSION], sort_keys=True))[0]
            encrypted = [field.get_prep_value(row[name]) for name in ("answers", "result")]
            changes.append([*encrypted, seal, last])
        cursor.executemany(
            "UPDATE screening_submission SET answers = %s, result = %s, seal = %s WHERE id = %s", changes
        )


def seal_reviews(apps, editor):
    reviews, last = apps.get_model("screening", "Review").objects, -1
    while batch := list(reviews.filter(pk__gt=last).order_by("pk")[:BATCH]):
        for review in batch:
            seal = seals("screening_review", sealed_content(review, REVIEW))[0]
            reviews.filter(pk=review.pk).update(seal=seal)
        last = batch[-1].pk


class Migration(migrations.Migration):
    dependencies = [("screening", "0009_log_without_a_queue")]

    operations = [
        migrations.RunPython(lambda apps, editor: refuse_wrong_keys()),
        migrations.AddField(
            "submission", "seal", models.CharField(default="", editable=False, max_length=64), preserve_default=False
        ),
        migrations.AddField(
            "review", "seal", models.CharField(default="", editable=False, max_length=64), preserve_default=False
        ),
        migrations.AlterField(
            "review",
            "recorded_at",
            models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded"),
        ),
        migrations.AlterField("submission", "answers", screening.fields.EncryptedJSONField(verbose_name="answers")),
        migrations.AlterField("submission", "result", screening.fields.EncryptedJSONField(verbose_name="result")),
        migrations.RunPython(encrypt_submissions),
        migrations.RunPython(seal_reviews),
    ]
