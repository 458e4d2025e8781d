"""The tests' settings, but static files are looked for once, at the start, as a running site does."""

import os
import tempfile
from pathlib import Path

from tests.settings import *  # noqa: F403
from tests.settings import ROOT_URLCONF

WHITENOISE_AUTOREFRESH = False
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = Path(tempfile.mkdtemp())
ROOT_URLCONF = os.environ.get("BENCHMARK_URLS", ROOT_URLCONF)
