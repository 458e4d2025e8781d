"""Makes a database as an earlier version left it, migrates it, and prints what became of it, as JSON.

Run by test_upgrade.py in its own process: python -m tests.earlier_database MIGRATION [damaged]
"""

import hashlib
import hmac
import json
import os
import runpy
import sys
from datetime import UTC, timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intake_site.settings")
django.setup()

from django.conf import settings  # noqa: E402 - Django is set up first
from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.migrations.executor import MigrationExecutor  # noqa: E402
from django.utils import timezone  # noqa: E402

from screening import return_codes  # noqa: E402
from screening.encryption import derive_key  # noqa: E402
from screening.models import LogLine, Submission  # noqa: E402
from screening.rules import versions  # noqa: E402
from tests.helpers import output_of  # noqa: E402

CODE = return_codes.generate()
FIRST = versions.released("2026.1")
INPATIENT = {key: values[0] for key, values in FIRST.options.items()} | {"constant_care": "always"}


def fill(apps: Any) -> None:
    """Save a submission that staff have opened, noted and reviewed."""
    result = FIRST.recommend(INPATIENT)
    values: dict[str, Any] = {
        "code": return_codes.encrypted_hashes(CODE)[0],
        "answers": dict(INPATIENT),
        "program": result.program,
        "urgency": 0,
        "close_call": result.close_call,
        "rules_version": result.rules_version,
        "language": "en",
        "opened_at": timezone.now(),
        "result": json.loads(
            json.dumps(
                {
                    "need": result.need,
                    "support": result.support,
                    "duties": result.duties,
                    "reasons then": [reason.key for reason in FIRST.recommend(INPATIENT).reasons],
                    "reasons": [reason.__dict__ for reason in result.reasons],
                }
            )
        ),
    }
    names = {field.name for field in apps.get_model("screening", "Submission")._meta.get_fields()}
    if "reference" in names:
        values["reference"] = "BCDFGHJK"
    row = apps.get_model("screening", "Submission").objects.create(**values)
    author = apps.get_model("auth", "User").objects.create(username="author")
    apps.get_model("screening", "Note").objects.create(submission=row, author=author, text="Called.")
    try:
        review = apps.get_model("screening", "Review")
    except LookupError:
        return
    review.objects.create(submission=row, author=author, program="iop", agrees=False, reason="Why.")


def write_log(apps: Any, *, damaged: bool) -> None:
    """Write the audit log as it was written before each entry had a seal."""
    lines, previous = apps.get_model("screening", "LogLine").objects, ""
    for number in range(1, 6):
        at = timezone.now() + timedelta(seconds=number)
        content = [number, at.astimezone(UTC).isoformat(), 1, "author", "opened", "BCDFGHJK", ""]
        previous = hashlib.sha256(json.dumps([previous, *content]).encode()).hexdigest()
        actor = "nobody" if damaged and number == 3 else "author"
        values = {"account": 1, "actor": actor, "action": "opened", "reference": "BCDFGHJK"}
        lines.create(number=number, timestamp=at, hash=previous, **values)
    key = derive_key(settings.DATA_KEYS[0], "log")
    seal = hmac.digest(key, f"5:{previous}".encode(), "sha256").hex()
    apps.get_model("screening", "LogHead").objects.create(pk=1, number=5, hash=previous, seal=seal)


def result_of(command: str) -> str:
    try:
        return output_of(command)
    except CommandError as error:
        return f"failed: {error}"


def main(migration: str, damaged: bool) -> dict[str, Any]:
    executor = MigrationExecutor(connection)
    others = [node for node in executor.loader.graph.leaf_nodes() if node[0] != "screening"]
    executor.migrate([*others, ("screening", migration)])
    apps = executor.loader.project_state([*others, ("screening", migration)]).apps
    fill(apps)
    if migration == "0008_standard_names":
        write_log(apps, damaged=damaged)
    right, wrong = settings.DATA_KEYS, ["another key, long enough to be one, and as random as it gets"]
    settings.DATA_KEYS = wrong
    try:
        call_command("migrate", verbosity=0)
    except ImproperlyConfigured as error:
        refusal = str(error)
    settings.DATA_KEYS = right
    call_command("migrate", verbosity=0)
    row = Submission.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT answers, result FROM screening_submission")
        stored = str(cursor.fetchall())
    settings.DATA_KEYS = wrong
    try:
        runpy.run_module("intake_site.wsgi")  # what a server starts
    except ImproperlyConfigured as error:
        start = str(error)
    settings.DATA_KEYS = right
    return {
        "start under the wrong keys": start,
        "under the wrong keys": refusal,
        "answers": row.answers == dict(INPATIENT),
        "reasons then": [reason.key for reason in FIRST.recommend(INPATIENT).reasons],
        "reasons": [reason.key for reason in row.recommendation.reasons],
        "by code": Submission.objects.with_code(CODE) == row,
        "in clear": any(word in stored for word in INPATIENT.values() if len(word) > 6),
        "sealed": [row.is_sealed, *(review.is_sealed for review in row.reviews.all())],
        "log": LogLine.objects.count(),
        "verify_log": result_of("verify_log"),
        "verify_results": result_of("verify_results"),
        "rotate_keys": result_of("rotate_keys"),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], "damaged" in sys.argv)))
