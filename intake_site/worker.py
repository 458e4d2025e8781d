"""gunicorn's worker with threads, whose threads never wait for a client (docs/decisions/0021).

The main loop receives each request, and a thread gets it when it is whole. The loop sends the answer, too, and looks at
the next request of a connection when the client has taken it.
"""

import errno
import re
import selectors
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from django.utils import translation
from gunicorn import http, util
from gunicorn.http import wsgi
from gunicorn.workers.gthread import TConn, ThreadWorker

from intake_site.headers import HEADERS, NO_STORE
from intake_site.settings import DATA_UPLOAD_MAX_MEMORY_SIZE, LANGUAGES

MAX_HEAD = 32 * 1024  # bytes; gunicorn's own limits of a line and a field are lower
SECONDS = 20.0  # from the connection, or from the answer before, until the request must have come as a whole
CLOSING = 2.0  # seconds in which the client may take an answer after which we close
TAKING = 60.0  # seconds in which it must have taken the whole answer
BUFFER = 64 * 1024  # bytes that the system takes of it; else it takes megabytes, and many answers nobody reads
ANSWER = 1024 * 1024  # bytes that are kept for it; of a longer answer, which only staff get, a thread sends the parts
SENDING = 10.0  # seconds in which such a part must be taken
CRISIS_PAGE = b"GET /help/"  # never queues behind others: the numbers to call
END = b"\r\n\r\n"  # of the head
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.I)
CODING = re.compile(rb"\r\ntransfer-encoding:", re.I)
EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n|\Z)", re.I)
OF_ERRORS = {
    "Connection": "close",
    "Cache-Control": NO_STORE,
    "Content-Security-Policy": "default-src 'none'",
    "Content-Type": "text/plain; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
REASONS = {411: "Length Required", 413: "Content Too Large", 431: "Request Header Fields Too Large"}


class Connection(TConn):  # type: ignore[misc]
    needed = 0  # bytes of the whole request, once its head is there
    kept = True  # after the answer, for the next request
    closing = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.received, self.answer = bytearray(), bytearray()
        self.initialized = True  # there is nothing that a thread would have to wait for


class Outbox:
    """Stands in for a socket while a thread answers: it keeps the answer for the main loop, which closes, too."""

    def __init__(self, sock: socket.socket, answer: bytearray) -> None:
        self.sock, self.answer = sock, answer

    def sendall(self, data: bytes) -> None:
        self.answer += data
        if len(self.answer) > ANSWER:
            self.sock.sendall(self.answer)
            self.answer.clear()

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def shutdown(self, how: int) -> None:
        raise OSError(errno.ENOTCONN, "the main loop does that")

    def close(self) -> None:
        pass


class Worker(ThreadWorker):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting: dict[Connection, None] = {}  # for the client, the one that has waited longest first
        self.crisis_pool = ThreadPoolExecutor(2)

    def enqueue_req(self, conn: Connection) -> None:
        pool = self.crisis_pool if conn.received.startswith(CRISIS_PAGE) else self.tpool
        pool.submit(self.handle, conn).add_done_callback(
            lambda done: self.method_queue.defer(self.finish_request, conn, done)
        )

    def accept(self, listener: socket.socket) -> None:
        """Take a connection. If that is one too many, drop the one that has kept us waiting longest.

        If none has, all being answered, gunicorn accepts no more until one is done.
        """
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE) and self.waiting:
                self.drop(next(iter(self.waiting)))
            return
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        conn = Connection(self.cfg, client, address, listener.getsockname())
        self.nr_conns += 1
        self.wait(conn, SECONDS)
        longest = next(iter(self.waiting))
        if self.nr_conns >= self.worker_connections and longest is not conn:
            self.drop(longest)

    def wait(self, conn: Connection, seconds: float, *, to_send: bool = False) -> None:
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + seconds
        self.waiting[conn] = None
        event, act = (selectors.EVENT_WRITE, self.send) if to_send else (selectors.EVENT_READ, self.receive)
        self.poller.register(conn.sock, event, partial(act, conn))

    def stop_waiting(self, conn: Connection) -> None:
        del self.waiting[conn]
        self.poller.unregister(conn.sock)

    def drop(self, conn: Connection) -> None:
        self.stop_waiting(conn)
        self.nr_conns -= 1
        conn.close()

    def receive(self, conn: Connection, client: socket.socket) -> None:
        if conn not in self.waiting:  # it was dropped for one that came at the same moment
            return
        try:
            data = client.recv(64 * 1024)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.drop(conn)
        elif not conn.closing:
            conn.received += data
            self.look(conn, len(conn.received) - len(data))

    def look(self, conn: Connection, known: int) -> None:
        """Hand the request to a thread if it is whole; refuse it if it will be too long."""
        if not conn.needed:
            end = conn.received.find(END, max(known - len(END) + 1, 0))
            if end < 0 and len(conn.received) <= MAX_HEAD:
                return
            head = bytes(conn.received[: max(end, 0)])
            length = LENGTH.search(head)
            body = int(length[1].lstrip(b"0")[:20] or b"0") if length else 0  # as the parser reads it
            if end < 0 or end > MAX_HEAD:
                return self.refuse(conn, 431)
            if CODING.search(head):  # no browser sends a form in chunks, and a proxy that buffers knows its length
                return self.refuse(conn, 411)
            if body > DATA_UPLOAD_MAX_MEMORY_SIZE:
                return self.refuse(conn, 413)
            conn.needed = end + len(END) + body
            without, expects = EXPECT.subn(b"", head)
            if expects:
                conn.received[:end] = without  # or gunicorn would answer it, too
                conn.needed -= end - len(without)
                if len(conn.received) < conn.needed and not head.partition(b"\r\n")[0].endswith(b"HTTP/1.0"):
                    with suppress(OSError):
                        conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if len(conn.received) >= conn.needed:
            self.stop_waiting(conn)
            # The parser gets what was received, not the socket: whatever it makes of it, it can't wait for more.
            conn.parser = http.get_parser(self.cfg, iter([bytes(conn.received)]), conn.client)
            self.enqueue_req(conn)

    def refuse(self, conn: Connection, status: int) -> None:
        """Answer at once, whatever is still on its way."""
        with suppress(OSError):
            write_error(conn.sock, status, REASONS[status])
        self.stop_waiting(conn)
        self.close(conn)

    def close(self, conn: Connection) -> None:
        """Close when the client has, or soon: closing at once may take the answer back."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.nr_conns -= 1
            conn.close()
        else:
            conn.closing = True
            self.wait(conn, CLOSING)

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Answer, in a thread; give up on a client that does not take a part of a long answer."""
        client = conn.sock
        client.settimeout(SENDING)
        conn.sock = Outbox(client, conn.answer)
        try:
            return bool(super().handle_request(req, conn))
        except TimeoutError:
            conn.answer.clear()
            return False
        finally:
            conn.sock = client

    def finish_request(self, conn: Connection, done: Any) -> None:
        """Send the answer, as far as the client takes it at once."""
        conn.kept = not (done.cancelled() or done.exception()) and done.result() and self.alive
        if self.has_sent(conn):
            self.go_on(conn)
        else:
            self.wait(conn, TAKING, to_send=True)

    def send(self, conn: Connection, client: socket.socket) -> None:
        if conn in self.waiting and self.has_sent(conn):
            self.stop_waiting(conn)
            self.go_on(conn)

    def has_sent(self, conn: Connection) -> bool:
        """Send what the client takes; return whether nothing is left."""
        try:
            conn.sock.setblocking(False)
            del conn.answer[: conn.sock.send(conn.answer)]
        except BlockingIOError:
            return False
        except OSError:  # also if a thread that failed in the middle of an answer has closed it
            conn.answer.clear()
            conn.kept = False
        return not conn.answer

    def go_on(self, conn: Connection) -> None:
        """Wait for the next request of a connection that is kept. A client that did not wait for us must come again.

        Browsers do wait; who sends a hundred requests at once would have a hundred answered before others.
        """
        if not conn.kept or conn.parser.unreader.take_buffered().strip():
            return self.close(conn)
        conn.received, conn.needed = bytearray(), 0
        self.wait(conn, SECONDS)

    def murder_pending(self) -> None:
        """Drop those whose time is up; gunicorn calls this each second."""
        now = time.monotonic()
        for conn in [conn for conn in self.waiting if conn.timeout < now]:
            self.drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """A server that stops waits no longer than this for requests; answers may still be taken."""
        for conn in self.waiting:
            if not conn.answer:
                conn.timeout = min(conn.timeout, deadline)


def in_every_language(status: int) -> str:
    """Return the words of the error page and whom to call: before a request was read, nobody knows its language."""
    from screening.help_lines import HELP_LINES  # here, as gunicorn loads this module before the apps
    from screening.public.error_pages import ERRORS

    lines = []
    for language, _name in LANGUAGES:
        with translation.override(language):
            lines.append(". ".join(map(str, ERRORS[413 if status == 413 else 400])))
            lines += [f"{key}: {translation.gettext(HELP_LINES[key].detail)}" for key in ("911", "988")]
    return "\n\n".join(lines) + "\n"


def write_error(client: socket.socket, status: int, reason: str, message: str = "") -> None:
    """Answer in gunicorn's place, which would repeat what was sent."""
    text = in_every_language(status).encode()
    fields = HEADERS | OF_ERRORS | {"Content-Length": str(len(text))}
    head = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in fields.items())]
    util.write_nonblock(client, "\r\n".join([*head, "", ""]).encode() + text)


class NamelessResponse(wsgi.Response):  # type: ignore[misc]
    def default_headers(self) -> list[str]:
        return [line for line in super().default_headers() if not line.startswith("Server:")]


util.write_error, wsgi.Response = write_error, NamelessResponse  # there is no setting for these
