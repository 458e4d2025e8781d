"""Each audit entry gets its own seal, and their chain a table of its own. A canary tells whether the keys are right."""

import hashlib
import hmac
import json
from datetime import UTC

import django.db.models.deletion
import django.utils.timezone
from django.core.exceptions import ImproperlyConfigured
from django.db import migrations, models

import screening.fields
from screening import audit_triggers
from screening.encryption import lookup_data
from screening.models.audit import LogHead, LogLine, LogLink, log_keys, new_number

LINES = ("screening_logline",)
FIELDS = ("number", "timestamp", "account", "actor", "action", "reference", "detail")


def refuse_wrong_keys_and_make_canary(apps, editor):
    """Under the wrong DATA_KEYS the log would look as if somebody had changed it."""
    rows = apps.get_model("screening", "Submission").objects.order_by("pk")
    for row in filter(None, (rows.first(), rows.last())):
        try:
            lookup_data("code", row.code)
        except ValueError:
            raise ImproperlyConfigured(
                "DATA_KEYS does not open what is stored. Put the earlier key back, then migrate."
            ) from None
    apps.get_model("screening", "Canary").objects.create(pk=1)


def chained_hash_of_0007(line, previous):
    content = [getattr(line, name) for name in FIELDS]
    content[1] = line.timestamp.astimezone(UTC).isoformat()
    return hashlib.sha256(json.dumps([previous, *content]).encode()).hexdigest()


def seal_and_chain(apps, editor):
    """Seal and link every entry. A log that was damaged goes on with an entry that says so."""
    old_lines = apps.get_model("screening", "LogLine").objects
    old_head = apps.get_model("screening", "LogHead").objects.filter(pk=1).first()
    cursor = editor.connection.cursor()
    new_head, number, previous, faults = LogHead(pk=1), 0, "", 0

    def link(line):
        cursor.execute(
            "UPDATE screening_logline SET key = %s, seal = %s WHERE number = %s", [line.key, line.seal, line.number]
        )
        place = LogLink(position=new_head.position + 1, line=line)
        place.hash = place.chained_hash(new_head.hash)
        cursor.execute(
            "INSERT INTO screening_loglink (position, line_id, accepted, hash) VALUES (%s, %s, %s, %s)",
            [place.position, line.number, False, place.hash],
        )
        new_head.position, new_head.hash = place.position, place.hash

    last = -1
    while batch := list(old_lines.filter(number__gt=last).order_by("number")[:1000]):
        for old in batch:
            faults += old.number != number + 1 or old.hash != chained_hash_of_0007(old, previous)
            number, previous = old.number, old.hash
            link(LogLine(**{name: getattr(old, name) for name in FIELDS}).sealed())
        last = batch[-1].number
    if old_head or number:
        end = f"{number}:{previous}"
        seals = [hmac.digest(key, end.encode(), "sha256").hex() for key in log_keys().values()]
        faults += not old_head or f"{old_head.position}:{old_head.hash}" != end or old_head.seal not in seals
    if faults:
        now = django.utils.timezone.now()
        values = {"number": new_number(now), "timestamp": now, "actor": "migrate", "action": "damage"}
        old_lines.create(**values, detail=f"faults={faults}; since=1", hash="")
        link(LogLine(**values, detail=f"faults={faults}; since=1").sealed())
    cursor.execute("DELETE FROM screening_loghead")
    new_head.seal = new_head.valid_seals()[0]
    apps.get_model("screening", "LogHead").objects.create(
        pk=1, position=new_head.position, hash=new_head.hash, seal=new_head.seal
    )


class Migration(migrations.Migration):
    dependencies = [("screening", "0008_standard_names")]

    operations = [
        migrations.CreateModel(
            name="Canary",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", screening.fields.EncryptedTextField(default="sings")),
            ],
            options={"verbose_name": "canary", "verbose_name_plural": "canary", "default_permissions": ()},
        ),
        migrations.RunPython(refuse_wrong_keys_and_make_canary, migrations.RunPython.noop),
        migrations.RunPython(lambda apps, editor: audit_triggers.drop(LINES), migrations.RunPython.noop),
        migrations.RenameField("loghead", "number", "position"),
        migrations.AlterField("logline", "number", models.PositiveBigIntegerField(primary_key=True, serialize=False)),
        migrations.AddField("logline", "key", models.CharField(default="", max_length=8), preserve_default=False),
        migrations.AddField("logline", "seal", models.CharField(default="", max_length=64), preserve_default=False),
        migrations.CreateModel(
            name="LogLink",
            fields=[
                ("position", models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ("accepted", models.BooleanField(default=False)),
                ("hash", models.CharField(max_length=64)),
                (
                    "line",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="link",
                        to="screening.logline",
                    ),
                ),
            ],
            options={
                "verbose_name": "chain of the log",
                "verbose_name_plural": "chain of the log",
                "default_permissions": (),
            },
        ),
        migrations.RunPython(seal_and_chain),
        migrations.RemoveField("logline", "hash"),
        migrations.RunPython(lambda apps, editor: audit_triggers.create()),
    ]
