"""gunicorn's settings: gunicorn -c python:intake_site.server intake_site.wsgi"""

import logging
import os
import threading
import time
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
    threading.Thread(target=keep_forgetting, daemon=True).start()


def keep_forgetting() -> None:
    """Keeps the promises of erasing by itself. Several of these may run; the first one does the work of the day."""
    from django.db import connection
    from django.utils import timezone

    from screening import forgetting, limits

    while True:
        try:
            last = forgetting.last_run()
            if last is None or (timezone.now() - last).total_seconds() > 20 * 3600:
                forgetting.forget_expired()
            limits.forget()
            forgetting.sweep()
        except Exception as error:  # tomorrow is another day
            logging.getLogger(__name__).error("what is expired could not be erased: %s", type(error).__name__)
        finally:
            connection.close()
        time.sleep(3600)
