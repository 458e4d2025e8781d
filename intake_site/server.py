"""gunicorn's settings: gunicorn -c python:intake_site.server intake_site.wsgi"""

import logging
import threading
import time
from typing import Any

from intake_site.settings import LOGGING

worker_class = "gthread"
threads = 8
loglevel = "warning"
control_socket_disable = True
accesslog = None  # who asked for which page is written down nowhere
quiet = {"gunicorn.error": {"level": "WARNING"}, "gunicorn.access": {"level": "CRITICAL"}}
logconfig_dict = LOGGING | {"loggers": quiet}


def post_worker_init(worker: Any) -> None:
    threading.Thread(target=forget_every_day, daemon=True).start()


def forget_every_day() -> None:
    """Keeps the promise of RETENTION_DAYS by itself. Several of these may run; the first one does the work."""
    from django.db import connection
    from django.utils import timezone

    from screening import forgetting

    while True:
        try:
            last = forgetting.last_run()
            if last is None or (timezone.now() - last).total_seconds() > 20 * 3600:
                forgetting.forget_expired()
        except Exception as error:  # tomorrow is another day
            logging.getLogger(__name__).error("what is expired could not be erased: %s", type(error).__name__)
        finally:
            connection.close()
        time.sleep(3600)
