"""gunicorn's settings: gunicorn -c python:intake_site.server intake_site.wsgi"""

import logging
import os
import threading
import time
from itertools import count
from typing import Any

from intake_site.settings import LOGGING

os.umask(0o077)  # what the server writes is for its own user
bind = f"127.0.0.1:{os.environ.get('PORT') or 8000}"  # a proxy on this machine stands in front
worker_class = "gthread"
threads = 8
loglevel = "warning"
control_socket_disable = True
accesslog = None  # who asked for which page is written down nowhere
# Both by way of the root's formatter: gunicorn's own words hold addresses and what was sent.
quiet = {
    "gunicorn.error": {"level": "WARNING", "propagate": True},
    "gunicorn.access": {"level": "CRITICAL", "propagate": True},
}
logconfig_dict = LOGGING | {"loggers": quiet}


def post_worker_init(worker: Any) -> None:
    threading.Thread(target=keep_house, daemon=True).start()


def keep_house() -> None:
    """Keeps the promises of erasing by itself, and sends again what could not be sent. Several of these may run."""
    from django.db import connection

    from screening import notifications

    for minute in count():
        try:
            if minute % 60 == 0:
                every_hour()
            notifications.tell_again()
        except Exception as error:  # tomorrow is another day
            logging.getLogger(__name__).error("the house could not be kept: %s", type(error).__name__)
        finally:
            connection.close()
        time.sleep(60)


def every_hour() -> None:
    """The first one to come does the work of the day."""
    from django.utils import timezone

    from screening import accounts, rate_limits, retention

    last = retention.last_run()
    if last is None or (timezone.now() - last).total_seconds() > 20 * 3600:
        retention.forget_expired()
        accounts.close_unused()
    rate_limits.forget()
    retention.sweep()
