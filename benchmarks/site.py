"""Sets up Django for a benchmark, with a database of its own: import this before anything of Django or of the site."""

import os
import tempfile

import tests.databases  # noqa: F401 - sets the environment, and starts PostgreSQL if asked for

if "DATABASE_URL" not in os.environ:
    os.environ["DATABASE_URL"] = f"sqlite:///{tempfile.mkdtemp()}/benchmark.sqlite3"
os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"

import django

django.setup()
