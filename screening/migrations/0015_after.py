"""Each audit entry names the end of the chain when it was written."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("screening", "0014_claimed")]

    operations = [migrations.AddField("logline", "after", models.CharField(max_length=85, null=True))]
