"""Attempts to reach a person, entries struck out, and the fingerprint by which a phone number is found."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from screening.models.contact import fingerprints


def fill(apps, schema_editor):
    contacts = apps.get_model("screening", "Contact").objects
    for contact in contacts.iterator():
        contacts.filter(pk=contact.pk).update(fingerprint=fingerprints(contact.phone)[0])


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0020_order_of_work"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="submission",
            options={
                "default_permissions": ("view", "add", "change"),
                "ordering": ("-received_at",),
                "permissions": (
                    ("export_submission", "Can export cases"),
                    ("view_agreement", "Can see how far staff and rules agree"),
                ),
                "verbose_name": "case",
                "verbose_name_plural": "cases",
            },
        ),
        migrations.AddField(
            model_name="contact",
            name="fingerprint",
            field=models.CharField(blank=True, db_index=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="note",
            name="struck_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="struck out"),
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
            model_name="review",
            name="program",
            field=models.CharField(
                choices=[("iop", "IOP"), ("inpatient", "Inpatient")], max_length=16, verbose_name="your recommendation"
            ),
        ),
        migrations.AlterField(
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
                    ("not_meant", "Test, duplicate or spam"),
                ],
                max_length=16,
                verbose_name="outcome",
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="spam_signs",
            field=models.CharField(blank=True, editable=False, max_length=64, verbose_name="suspected spam"),
        ),
        migrations.AlterField(
            model_name="submission",
            name="touched_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="last change"),
        ),
        migrations.AlterField(
            model_name="submission",
            name="touched_by",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="last change by",
            ),
        ),
        migrations.CreateModel(
            name="Try",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("reached", "Reached"),
                            ("voicemail", "Left a voicemail"),
                            ("no_answer", "No answer"),
                            ("wrong_number", "Wrong number"),
                            ("asked_not", "Asked not to be called"),
                        ],
                        max_length=16,
                        verbose_name="result",
                    ),
                ),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="made")),
                ("struck_at", models.DateTimeField(null=True, verbose_name="struck out")),
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
                        related_name="tries",
                        to="screening.submission",
                        verbose_name="submission",
                    ),
                ),
            ],
            options={
                "verbose_name": "attempt to reach the person",
                "verbose_name_plural": "attempts to reach the person",
                "ordering": ("made_at", "pk"),
                "default_permissions": (),
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
