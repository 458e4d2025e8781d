import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import screening.reference_numbers


def fill_what_is_there(apps, schema_editor):
    """Each row gets a reference, and knows whether a call was asked for."""
    submissions = apps.get_model("screening", "Submission").objects
    asked = set(apps.get_model("screening", "Contact").objects.values_list("pk", flat=True))
    for pk in submissions.values_list("pk", flat=True):
        submissions.filter(pk=pk).update(reference=screening.reference_numbers.generate(), wants_call=pk in asked)


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0004_counted_hours"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="submission",
            name="assigned_to",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="assigned to",
            ),
        ),
        migrations.AddField(
            model_name="submission",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("iop", "Started an IOP"),
                    ("inpatient", "Started inpatient care"),
                    ("elsewhere", "Went elsewhere, or was sent on"),
                    ("declined", "Did not want to go on"),
                    ("not_reached", "Could not be reached"),
                    ("not_meant", "Not meant: a trial, a double, a machine"),
                ],
                max_length=16,
                verbose_name="outcome",
            ),
        ),
        migrations.AddField(
            model_name="submission",
            name="touched_by",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="last touched by",
            ),
        ),
        migrations.AddField(
            model_name="submission",
            name="wants_call",
            field=models.BooleanField(default=False, editable=False, verbose_name="wants a call"),
        ),
        migrations.AddField(
            model_name="submission",
            name="reference",
            field=models.CharField(default="", editable=False, max_length=8, verbose_name="reference"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="submission",
            name="touched_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="last touched"),
        ),
        migrations.RunPython(fill_what_is_there, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="submission",
            name="reference",
            field=models.CharField(
                default=screening.reference_numbers.generate,
                editable=False,
                max_length=8,
                unique=True,
                verbose_name="reference",
            ),
        ),
        migrations.AddField(
            model_name="submission",
            name="rank",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(status="closed", then=9),
                    models.When(status="waiting", then=8),
                    models.When(then=0, urgency=3, wants_call=True),
                    models.When(then=1, urgency=3),
                    models.When(then=2, urgency=2, wants_call=True),
                    models.When(then=3, urgency=2),
                    models.When(then=4, urgency=1, wants_call=True),
                    models.When(then=5, wants_call=True),
                    models.When(then=6, urgency=1),
                    default=7,
                ),
                output_field=models.PositiveSmallIntegerField(),
            ),
        ),
        migrations.AlterModelOptions(
            name="submission",
            options={
                "ordering": ("rank", "-received_at"),
                "verbose_name": "submission",
                "verbose_name_plural": "submissions",
            },
        ),
        migrations.RemoveIndex(
            model_name="submission",
            name="submission_queue",
        ),
        migrations.RemoveField(
            model_name="submission",
            name="closed",
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["rank", "-received_at"], name="submission_rank"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["urgency", "rank", "-received_at"], name="submission_urgency"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["program", "rank", "-received_at"], name="submission_program"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["close_call", "rank", "-received_at"], name="submission_close_call"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["wants_call", "rank", "-received_at"], name="submission_wants_call"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["status", "rank", "-received_at"], name="submission_status"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["assigned_to", "rank", "-received_at"], name="submission_assigned_to"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["touched_by", "rank", "-received_at"], name="submission_touched_by"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(
                condition=models.Q(("opened_at", None)), fields=["rank", "-received_at"], name="submission_unread"
            ),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(
                condition=models.Q(("spam_signs", ""), _negated=True),
                fields=["rank", "-received_at"],
                name="submission_signs",
            ),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["status", "status_at"], name="submission_status_since"),
        ),
    ]
