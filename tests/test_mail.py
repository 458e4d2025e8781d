"""A mail server that answers slowly, however it does so, holds up a sending for so long and no longer."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.core.mail import EmailMessage

from intake_site import mail

pytestmark = pytest.mark.sqlite_is_enough
PAUSE = 0.2  # seconds; less than EMAIL_TIMEOUT, so that no single answer is too late


def answers(connection: socket.socket) -> None:
    connection.sendall(b"220 here\r\n")
    while said := connection.recv(1000):
        time.sleep(PAUSE)
        connection.sendall(b"354 go on\r\n" if said.lower() == b"data\r\n" else b"250 yes\r\n")


def greets_without_end(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"220-and\r\n")
        time.sleep(PAUSE)


def trickles(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"2")
        time.sleep(PAUSE)


@pytest.fixture
def server(request: pytest.FixtureRequest, settings: Any) -> Iterator[None]:
    """Start a mail server that behaves as the parameter does."""

    def serve() -> None:
        with suppress(OSError):
            connection, _address = listener.accept()
            with connection:
                request.param(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        settings.EMAIL_HOST, settings.EMAIL_PORT = listener.getsockname()[:2]
        settings.EMAIL_USE_TLS = False
        yield
    thread.join(10)
    assert not thread.is_alive()


def send() -> int:
    message = EmailMessage("subject", "text", "from@example.org", ["to@example.org"])
    return mail.EmailBackend().send_messages([message])


@pytest.mark.parametrize("server", [answers, greets_without_end, trickles], indirect=True)
def test_sending_ends_when_its_time_is_up(server: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "SECONDS", 2 * PAUSE)
    started = time.monotonic()
    with pytest.raises(OSError, match=r".*"):
        send()
    assert 2 * PAUSE <= time.monotonic() - started < 5


@pytest.mark.parametrize("server", [answers], indirect=True)
def test_server_that_is_slow_but_in_time_gets_the_mail(server: None) -> None:
    assert send() == 1
