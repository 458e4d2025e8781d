"""What monitoring may ask: whether the site is alive, and whether it can serve people; without detail."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

pytestmark = pytest.mark.django_db


def test_site_that_is_well_is_alive_and_ready_on_either_protocol(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    for address, word in (("/healthz", b"alive\n"), ("/readyz", b"ready\n")):
        response = Client().get(address)
        assert (response.status_code, response.content) == (200, word)
        assert response["Content-Type"] == "text/plain"
        assert Client().post(address).status_code == 405
    assert Client().get("/return/").status_code == 301, "the pages are for HTTPS alone"


def test_without_a_database_it_is_alive_and_not_ready(database_goes_down: Callable[[], None]) -> None:
    database_goes_down()
    assert Client().get("/healthz").status_code == 200
    response = Client().get("/readyz")
    assert (response.status_code, response.content) == (503, b"not ready\n")


def test_database_of_another_version_is_not_ready() -> None:
    MigrationRecorder.Migration.objects.filter(app="screening").last().delete()
    assert Client().get("/readyz").status_code == 503


@pytest.mark.parametrize(("free", "status"), [(100_000_000, 503), (300_000_000, 200)])
def test_full_disk_is_not_ready(monkeypatch: pytest.MonkeyPatch, free: int, status: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: type("Usage", (), {"free": free}))
    assert Client().get("/readyz").status_code == status


def test_folder_that_is_gone_is_not_ready(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path / "gone"
    assert Client().get("/readyz").status_code == 503
