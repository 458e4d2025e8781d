"""SMTP with one limit for the whole of a sending, however slowly the server answers."""

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from smtplib import SMTP
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends import smtp

SECONDS = 20.0  # from connecting to the last answer; EMAIL_TIMEOUT limits each answer, and a mail takes a dozen


class EmailBackend(smtp.EmailBackend):
    """Django's backend, which hangs up when its time is up: the sending then fails like any other."""

    server: SMTP | None = None

    @property
    def connection_class(self) -> Any:
        backend, base = self, super().connection_class

        class Connection(base):  # type: ignore[misc, valid-type]
            def connect(self, *address: Any, **options: Any) -> Any:
                backend.server = self  # known before the server has said anything
                return super().connect(*address, **options)

        return Connection

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        done = threading.Event()
        threading.Thread(target=self._hang_up_unless, args=[done], daemon=True).start()
        try:
            return super().send_messages(email_messages)
        finally:
            done.set()

    def _hang_up_unless(self, done: threading.Event) -> None:
        wait = SECONDS
        while not done.wait(wait):
            wait = 0.5  # again until it has noticed: it may have been connecting
            if connected := getattr(self.server, "sock", None):
                with suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)
