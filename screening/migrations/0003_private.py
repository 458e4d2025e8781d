import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import screening.fields
from screening import return_codes
from screening.encryption import cipher


def seal_what_is_there(apps, schema_editor):
    """Earlier rows get a code that nobody knows; earlier notes are encrypted."""
    submissions = apps.get_model("screening", "Submission").objects
    for pk in submissions.values_list("pk", flat=True):
        submissions.filter(pk=pk).update(code=return_codes.encrypted_hashes(return_codes.generate())[0])
    notes = apps.get_model("screening", "Note").objects
    for pk, text in notes.values_list("pk", "text"):
        notes.filter(pk=pk).update(text=cipher("column").encrypt(text))


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0002_test_data"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attempts",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("what", models.CharField(max_length=16)),
                ("place", models.CharField(max_length=32)),
                ("hour", models.DateTimeField()),
                ("count", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name": "attempts",
                "verbose_name_plural": "attempts",
                "constraints": (models.UniqueConstraint(fields=("what", "place", "hour"), name="one_count_an_hour"),),
            },
        ),
        migrations.CreateModel(
            name="Forgotten",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("erased", "Erased by the person"),
                            ("expired", "Time was up"),
                            ("contact", "Contact details, after the case was closed"),
                        ],
                        max_length=16,
                        verbose_name="why",
                    ),
                ),
                ("count", models.PositiveIntegerField(default=0, verbose_name="how many")),
                ("last_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="last at")),
            ],
            options={
                "verbose_name": "count of what was erased",
                "verbose_name_plural": "counts of what was erased",
                "constraints": (models.UniqueConstraint(fields=("day", "why"), name="one_count_a_day"),),
            },
        ),
        migrations.AddField(
            model_name="submission",
            name="code",
            field=models.CharField(editable=False, max_length=96, null=True),
        ),
        migrations.AddField(
            model_name="submission",
            name="status_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="status since"),
        ),
        migrations.AddField(
            model_name="submission",
            name="opened_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="first opened"),
        ),
        migrations.AddField(
            model_name="submission",
            name="spam_signs",
            field=models.CharField(blank=True, editable=False, max_length=64, verbose_name="signs of a machine"),
        ),
        migrations.RunPython(seal_what_is_there),  # it can't be undone: the codes before are gone
        migrations.AlterField(
            model_name="submission",
            name="code",
            field=models.CharField(editable=False, max_length=96, unique=True),
        ),
        migrations.RemoveField(model_name="submission", name="draft"),
        migrations.AlterField(
            model_name="note",
            name="text",
            field=screening.fields.EncryptedTextField(max_length=4000, verbose_name="note"),
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                (
                    "submission",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="contact",
                        serialize=False,
                        to="screening.submission",
                        verbose_name="submission",
                    ),
                ),
                (
                    "asked_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="asked"),
                ),
                ("name", screening.fields.EncryptedTextField(blank=True, verbose_name="name")),
                ("phone", screening.fields.EncryptedTextField(blank=True, verbose_name="phone")),
                ("may_text", models.BooleanField(verbose_name="OK to text")),
                ("may_voicemail", models.BooleanField(verbose_name="OK to leave a voicemail")),
                ("email", screening.fields.EncryptedTextField(blank=True, verbose_name="e-mail")),
                ("best_time", screening.fields.EncryptedTextField(blank=True, verbose_name="best time")),
                ("to_others", screening.fields.EncryptedTextField(blank=True, verbose_name="if someone else answers")),
                ("consent", models.TextField(verbose_name="agreed to")),
            ],
            options={
                "verbose_name": "request for a call",
                "verbose_name_plural": "requests for a call",
            },
        ),
    ]
