"""Sets up Django for a benchmark, with a database of its own: import this before anything of Django or of the site."""

import os
import tempfile

SAME = "BENCHMARK_DATABASE"  # in the environment of a second process of the same benchmark
given = os.environ.get(SAME, "")

import tests.databases  # noqa: F401 - sets the environment, and starts PostgreSQL if asked for

if given:
    os.environ["DATABASE_URL"] = given
elif "DATABASE_URL" not in os.environ:
    os.environ["DATABASE_URL"] = f"sqlite:///{tempfile.mkdtemp()}/benchmark.sqlite3"
os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"

import django

django.setup()


def same_database() -> dict[str, str]:
    """Return the environment of a process that uses the database of this one."""
    return os.environ | {"TEST_DATABASE": "sqlite", SAME: os.environ["DATABASE_URL"]}
