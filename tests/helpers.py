"""What the tests of several rooms share: parse a page, run a command, run threads at once."""

import socket
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import closing
from io import StringIO
from typing import Any

from bs4 import BeautifulSoup
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection

from screening import audit
from screening.encryption import derive_key
from screening.models import Canary, LogHead, Submission


def parse(response: Any) -> BeautifulSoup:
    """Return the page as a browser has it: NUL is U+FFFD there."""
    return BeautifulSoup(response.content, "lxml")


def by_fernet(use: str, secret: str, text: str) -> str:
    """Encrypt a text as versions before decision 0037 did."""
    return Fernet(urlsafe_b64encode(derive_key(secret, use))).encrypt(text.encode()).decode()


def text_of(response: Any, selector: str) -> str:
    """Return the text of all elements that match, with single spaces."""
    return " ".join(" ".join(element.text for element in parse(response).select(selector)).split())


def output_of(*command: str) -> str:
    """Run a management command; return what it prints, without errors. Raises a CommandError where it fails."""
    out = StringIO()
    call_command(*command, stdout=out, stderr=StringIO())
    return out.getvalue()


def run_at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run each in its own thread, started at the same moment; return what each returned or raised, in their order."""
    barrier, results = threading.Barrier(len(works)), list[Any](works)

    def run(place: int, work: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            results[place] = work()
        except BaseException as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[place, work]) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def database_begins_anew() -> None:
    """Seal the end of an empty log, and the canary, under the DATA_KEYS that a test has chosen."""
    LogHead.objects.all().delete()
    audit.begin()
    Canary.objects.all().delete()
    Canary.objects.create()


def overwrite(submission: Submission, **columns: Any) -> None:
    """Set columns as if the submission had been saved so."""
    Submission.objects.filter(pk=submission.pk).update(**columns)
    submission.refresh_from_db()
    Submission.objects.filter(pk=submission.pk).update(seal=submission.valid_seals()[0])


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
