"""Whether the return code of a submission has reached the browser that saved it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("screening", "0013_second_factor")]

    operations = [
        migrations.AddField(
            "submission", "claimed", models.BooleanField(db_default=False, default=False, editable=False)
        ),
    ]
