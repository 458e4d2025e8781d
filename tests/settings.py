"""The site's own settings; only what would slow the tests down differs."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from intake_site.settings import *  # noqa: F403 - every setting, as a running site has them
from intake_site.settings import DATABASES, STORAGES

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = True  # serves from the app's own folder: nothing has to be collected
STATIC_ROOT = Path(tempfile.gettempdir())
VAR_DIR = Path(tempfile.mkdtemp(prefix="test-var-"))
atexit.register(shutil.rmtree, VAR_DIR, ignore_errors=True)
SECOND_FACTOR = False  # what needs it turns it on
BLIND_PERCENT = 0  # and these
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, so that the browser tests' server and the tests' own threads share it as they would for real; in memory
    # where the system has a folder for that, because each commit waits for the disk.
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="test-sqlite-", dir=memory if os.access(memory, os.W_OK) else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    DATABASES["default"]["TEST"] = {"NAME": f"{folder}/db.sqlite3"}
