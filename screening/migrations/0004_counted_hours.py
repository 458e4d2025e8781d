import secrets

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("screening", "0003_private")]

    operations = [
        migrations.DeleteModel("Attempts"),  # what it counts holds for an hour: none of it needs to be kept
        migrations.CreateModel(
            name="CountedHour",
            fields=[
                ("begins", models.DateTimeField(primary_key=True, serialize=False)),
                ("secret", models.CharField(default=secrets.token_urlsafe, max_length=64)),
            ],
            options={"verbose_name": "counted hours", "verbose_name_plural": "counted hours"},
        ),
        migrations.CreateModel(
            name="Attempts",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("what", models.CharField(max_length=16)),
                ("place", models.CharField(max_length=32)),
                ("count", models.PositiveIntegerField(default=0)),
                (
                    "hour",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="screening.countedhour"),
                ),
            ],
            options={
                "verbose_name": "attempts",
                "verbose_name_plural": "attempts",
                "constraints": [models.UniqueConstraint(fields=("what", "place", "hour"), name="one_count_an_hour")],
            },
        ),
    ]
