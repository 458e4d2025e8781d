"""PostgreSQL keeps earlier versions of rows, so the answers in clear, until the table is written anew."""

from django.db import migrations


def rewrite(apps, editor):
    if editor.connection.vendor == "postgresql":
        editor.execute("VACUUM FULL screening_submission")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("screening", "0011_encrypted_answers")]
    operations = [migrations.RunPython(rewrite, migrations.RunPython.noop)]
