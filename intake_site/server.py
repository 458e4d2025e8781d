"""gunicorn's settings: gunicorn -c python:intake_site.server intake_site.wsgi"""

import logging
import os
import threading
import time
from typing import Any

from intake_site.settings import LOGGING, WORKERS

bind = f"127.0.0.1:{os.environ.get('PORT') or 8000}"  # a proxy on this machine stands in front
worker_class = "intake_site.worker.Worker"
workers = WORKERS
threads = 64  # eight could all be waiting for a database that does not answer
worker_connections = 800  # below the usual limit of open files
forwarder_headers = ""  # SCRIPT_NAME from outside would move /admin/ past a rule of the proxy
secure_scheme_headers: dict[str, str] = {}  # Django reads X-Forwarded-Proto itself, if BEHIND_PROXY
loglevel = "warning"
control_socket_disable = True
sendfile = False  # it would go round the worker's own sending
accesslog = None  # requests are recorded nowhere
# Both through the root's formatter: gunicorn's own messages hold addresses and request data.
quiet = {
    "gunicorn.error": {"level": "WARNING", "propagate": True},
    "gunicorn.access": {"level": "CRITICAL", "propagate": True},
    "gunicorn.http.wsgi": {"level": "ERROR", "propagate": True},  # it warns of each HEAD: Django gives it a body
}
logconfig_dict = LOGGING | {"loggers": quiet}

# (seconds from one run to the next, function, its arguments). The server runs each in a thread of its own, so that none
# waits for another: a notification leaves within a minute, and what is not yet chained could be deleted unseen.
JOBS: tuple[tuple[float, str, dict[str, Any]], ...] = (
    (5, "screening.audit.chain", {}),
    (3600, "screening.audit.chain", {"everything": True}),
    (30, "screening.notifications.send_due", {}),
    (20, "screening.center.refresh", {}),
    (60, "screening.counts.flush", {}),
    (3600, "intake_site.server.run_hourly_jobs", {}),
)
ONCE_A_DAY = 20 * 3600  # seconds since the last daily run after which the next one is due


def on_starting(arbiter: Any) -> None:
    os.umask(0o077)  # what the server writes is for its own user


def post_worker_init(worker: Any) -> None:
    for job in JOBS:
        threading.Thread(target=run_periodically, args=job, daemon=True).start()


def run_periodically(seconds: float, function: str, arguments: dict[str, Any]) -> None:
    """Run a job while the worker lives. Several workers may run the same one."""
    from django.db import connection
    from django.utils.module_loading import import_string

    while True:
        try:
            import_string(function)(**arguments)
        except Exception as error:  # the next run tries again
            logging.getLogger(__name__).error("a periodic job failed: %s", type(error).__name__)
        connection.close()
        time.sleep(seconds)


def run_hourly_jobs() -> None:
    """Erase what is expired and close unused accounts once a day; tidy up each hour."""
    from django.utils import timezone

    from intake_site import live_checks
    from screening import accounts, clock, rate_limits, retention
    from screening.models import Count, ErasureCount

    last = ErasureCount.last_run()
    if last is None or (timezone.now() - last).total_seconds() > ONCE_A_DAY:
        try:
            retention.erase_expired()
            accounts.close_unused()
        except clock.ClockJumped as error:
            logging.getLogger(__name__).error("%s", error)
    rate_limits.delete_old_windows()
    Count.fold()
    retention.truncate_journal()
    live_checks.mail_problems()  # the last: it asks the network, and what erases must not wait for it
