"""The keys of phones are encrypted; recovery codes move to a table of ours, which holds them encrypted."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from screening.encryption import lookup_texts


def encrypt_what_is_there(apps, editor):
    phones, codes = apps.get_model("otp_totp", "TOTPDevice").objects, apps.get_model("screening", "RecoveryCode")
    for pk, key in list(phones.values_list("pk", "key")):
        phones.filter(pk=pk).update(key=lookup_texts("phone", bytes.fromhex(key))[0])
    if "otp_static_statictoken" not in editor.connection.introspection.table_names():
        return  # never installed here
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT user_id, token FROM otp_static_statictoken JOIN otp_static_staticdevice "
            "ON otp_static_staticdevice.id = device_id"
        )
        for account, token in cursor.fetchall():
            text = lookup_texts("recovery code", f"{account} {token}".encode())[0]
            codes.objects.get_or_create(account_id=account, code=text)
        cursor.execute("DROP TABLE otp_static_statictoken")
        cursor.execute("DROP TABLE otp_static_staticdevice")


class Migration(migrations.Migration):
    dependencies = [
        ("otp_totp", "0003_add_timestamps"),
        ("screening", "0012_rewrite_table"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Phone",
            fields=[],
            options={"proxy": True, "default_permissions": (), "indexes": [], "constraints": []},
            bases=("otp_totp.totpdevice",),
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=96, unique=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "recovery code",
                "verbose_name_plural": "recovery codes",
                "default_permissions": (),
            },
        ),
        migrations.RunPython(encrypt_what_is_there),
    ]
