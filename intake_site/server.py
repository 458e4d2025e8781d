"""gunicorn's settings: gunicorn -c python:intake_site.server intake_site.wsgi"""

import logging
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

from intake_site.settings import LOGGING

bind = f"127.0.0.1:{os.environ.get('PORT') or 8000}"  # a proxy on this machine stands in front
worker_class = "gthread"
threads = 8
loglevel = "warning"
control_socket_disable = True
accesslog = None  # requests are recorded nowhere
# Both through the root's formatter: gunicorn's own messages hold addresses and request data.
quiet = {
    "gunicorn.error": {"level": "WARNING", "propagate": True},
    "gunicorn.access": {"level": "CRITICAL", "propagate": True},
}
logconfig_dict = LOGGING | {"loggers": quiet}

INTERVAL = 30  # seconds between runs, so that a notification leaves within a minute
RUNS_PER_HOUR = 3600 // INTERVAL
ONCE_A_DAY = 20 * 3600  # seconds since the last daily run after which the next one is due


def on_starting(arbiter: Any) -> None:
    os.umask(0o077)  # what the server writes is for its own user


def post_worker_init(worker: Any) -> None:
    threading.Thread(target=run_periodic_jobs, daemon=True).start()


def run_periodic_jobs() -> None:
    """Chain the log, send notifications, erase what is expired, while the worker lives. Several may run this."""
    from django.db import connection

    from screening import audit, notifications

    for run in count():
        hourly = run % RUNS_PER_HOUR == 0
        jobs: list[Callable[[], object]] = [partial(audit.chain, everything=hourly), notifications.send_due]
        for job in [run_hourly_jobs, *jobs] if hourly else jobs:
            try:
                job()
            except Exception as error:  # the next run tries again, and the other jobs run all the same
                logging.getLogger(__name__).error("a periodic job failed: %s", type(error).__name__)
        connection.close()
        time.sleep(INTERVAL)


def run_hourly_jobs() -> None:
    """Erase what is expired and close unused accounts once a day; delete rate limits and SQLite's journal each hour."""
    from django.utils import timezone

    from screening import accounts, clock, rate_limits, retention
    from screening.models import ErasureCount

    last = ErasureCount.last_run()
    if last is None or (timezone.now() - last).total_seconds() > ONCE_A_DAY:
        try:
            retention.erase_expired()
            accounts.close_unused()
        except clock.ClockJumped as error:
            logging.getLogger(__name__).error("%s", error)
    rate_limits.delete_old_windows()
    retention.truncate_journal()
