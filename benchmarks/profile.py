"""Where the time of a journey goes: by what does the work, then the functions that take most themselves.

make profile
"""

import cProfile
import pstats
from collections import Counter

import benchmarks.site  # noqa: F401 - sets up Django

# isort: split
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from benchmarks.pages import journey

JOURNEYS, SHOWN = 20, 25
WORK = {  # part of a file's path -> what it is; the first that fits
    "/screening/rules/": "our rules",
    "/screening/": "our pages and forms",
    "/intake_site/": "our middleware",
    "/django/template": "Django's templates",
    "/django/forms/": "Django's forms",
    "/django/db/": "the database",
    "sqlite3": "the database",
    "/django/utils/translation": "translation",
    "/gettext.py": "translation",
    "/cryptography/": "encryption",
    "/django/middleware/csrf": "form secrets",
    "/random.py": "form secrets",
    "/django/urls/": "addresses",
    "/django/test/": "the test client",
    "/django/": "the rest of Django",
}


def main() -> None:
    settings.ROOT_URLCONF = "benchmarks.pages"
    call_command("migrate", verbosity=0)
    browser = Client(SERVER_NAME="localhost")
    journey(browser)  # what is kept is there
    profile = cProfile.Profile()
    profile.enable()
    for _time in range(JOURNEYS):
        journey(browser)
    profile.disable()
    stats = pstats.Stats(profile)
    shares: Counter[str] = Counter()
    for (file, _line, _function), (_calls, _all, own, *_more) in stats.stats.items():  # type: ignore[attr-defined]
        shares[next((work for part, work in WORK.items() if part in file), "Python itself, and other packages")] += own
    print(f"{shares.total() / JOURNEYS * 1000:.1f} ms a journey, while it is watched")
    for work, seconds in shares.most_common():
        print(f"{seconds / shares.total():6.1%}  {work}")
    stats.sort_stats("tottime").print_stats(SHOWN)


if __name__ == "__main__":
    main()
