"""The server over real sockets: what is slow, large or malformed costs the others nothing."""

import errno
import re
import resource
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from intake_site import worker
from intake_site.headers import HEADERS, NO_STORE
from tests.test_server import running

pytestmark = pytest.mark.sqlite_is_enough
SECONDS = 4.0  # instead of 20 in which a request must have come
IMPATIENT = f"""
from intake_site.server import *
from intake_site import worker
worker.SECONDS, worker.CLOSING, worker.TAKING = {SECONDS}, 0.5, {SECONDS}
"""
HELP = b"GET /help/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
FORM = b"POST /return/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
LONG = HELP.replace(b"/help/", b"/static/admin/js/vendor/jquery/jquery.js")
SECRET = "ZEBROWSKI0QUILLON"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "impatient.py").write_text(IMPATIENT)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    (folder / "with_static_files.py").write_text("from tests.settings import *\nWHITENOISE_USE_FINDERS = True\n")
    with running(folder, "impatient", "with_static_files") as chosen:
        assert answer_to(chosen, HELP).startswith(b"HTTP/1.1 200")
        yield chosen
    assert " ERROR gunicorn" not in (folder / "log").read_text()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(port: int, sends: bytes = b"", buffer: int = 0) -> socket.socket:
    client = socket.socket()
    client.settimeout(20)
    if buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.connect(("127.0.0.1", port))
    client.sendall(sends)
    return client


def answer_from(client: socket.socket) -> bytes:
    """Read one answer, with its body, and nothing of the next one."""
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        if not (data := client.recv(1)):
            return received
        received += data
    left = int((re.findall(rb"(?i)\r\ncontent-length: (\d+)", received) or [b"0"])[0])
    while left and (data := client.recv(min(left, 65536))):
        received += data
        left -= len(data)
    return received


def answer_to(port: int, request: bytes) -> bytes:
    with connect(port, request) as client:
        return answer_from(client)


def test_page_is_answered_beside_more_slow_connections_than_the_server_holds(port: int) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(port)) for _number in range(500)]
        slow += [stack.enter_context(connect(port, HELP[:-2])) for _number in range(200)]
        slow += [stack.enter_context(connect(port, FORM + b"Content-Length: 99\r\n\r\ncode")) for _number in range(200)]
        for client in slow[-300:]:
            client.sendall(b"x")
        started = time.monotonic()
        assert answer_to(port, HELP).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - started < 4


def test_page_is_answered_beside_clients_that_ask_and_read_nothing(port: int) -> None:
    with ExitStack() as stack:
        for _number in range(150):
            stack.enter_context(connect(port, LONG * 50, buffer=2048))
        time.sleep(0.5)
        started = time.monotonic()
        assert answer_to(port, HELP).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - started < 4


def test_client_that_reads_slowly_gets_the_whole_answer_and_the_next(port: int) -> None:
    with connect(port, LONG, buffer=2048) as client:
        time.sleep(1)
        assert len(answer_from(client)) > 250_000
        client.sendall(HELP)
        assert answer_from(client).startswith(b"HTTP/1.1 200")


def test_client_that_does_not_take_the_answer_in_time_is_dropped(port: int) -> None:
    with connect(port, LONG * 3, buffer=2048) as client:
        time.sleep(SECONDS + 2)
        received = 0
        with suppress(ConnectionResetError):
            while data := client.recv(65536):
                received += len(data)
    assert received < 250_000


def test_connection_that_a_thread_has_closed_stops_no_other() -> None:
    near, far = socket.socketpair()
    near.close()
    far.close()
    conn: Any = SimpleNamespace(sock=near, answer=bytearray(b"half an answer"), close=lambda: None)
    done: Future[bool] = Future()
    done.set_result(False)
    loop = object.__new__(worker.Worker)
    loop.alive, loop.nr_conns = True, 1
    loop.finish_request(conn, done)
    assert loop.nr_conns == 0


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A worker that holds two connections at most, with one that has waited longest, and one that is answered."""
    loop = object.__new__(worker.Worker)
    loop.waiting, loop.nr_conns, loop.worker_connections, loop.cfg = {}, 1, 2, None
    loop.poller, loop.dropped = MagicMock(), []
    monkeypatch.setattr(worker.Worker, "drop", lambda self, conn: loop.dropped.append(conn))
    return loop


def listener(error: OSError | None = None) -> Any:
    return MagicMock(accept=MagicMock(side_effect=error, return_value=(MagicMock(), "a client")))


def test_newcomer_is_not_dropped_where_all_others_are_being_answered(loop: Any) -> None:
    loop.accept(listener())
    assert (len(loop.waiting), loop.dropped) == (1, [])
    loop.accept(listener())
    assert loop.dropped == [next(iter(loop.waiting))]


def test_who_has_waited_longest_goes_where_the_system_allows_no_more_files(loop: Any) -> None:
    loop.accept(listener(OSError(errno.EMFILE, "too many")))
    assert loop.dropped == []
    loop.accept(listener())
    loop.accept(listener(OSError(errno.ECONNABORTED, "gone")))
    assert loop.dropped == []
    loop.accept(listener(OSError(errno.EMFILE, "too many")))
    assert loop.dropped == [next(iter(loop.waiting))]


def test_numbers_to_call_queue_behind_nobody(loop: Any) -> None:
    loop.tpool, loop.crisis_pool = MagicMock(), MagicMock()
    for received in (HELP, LONG, FORM):
        loop.enqueue_req(SimpleNamespace(received=bytearray(received)))
    assert (loop.crisis_pool.submit.call_count, loop.tpool.submit.call_count) == (1, 2)


def test_server_that_stops_lets_answers_be_taken(loop: Any) -> None:
    idle, taking = MagicMock(answer=b"", timeout=100.0), MagicMock(answer=b"half", timeout=100.0)
    loop.waiting = {idle: None, taking: None}
    loop._cap_keepalive(2.0)
    assert (idle.timeout, taking.timeout) == (2.0, 100.0)


def test_long_answer_is_sent_in_parts_and_kept_in_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "ANSWER", 10)
    near, far = socket.socketpair()
    kept = bytearray()
    with near, far:
        outbox = worker.Outbox(near, kept)
        for part in (b"abc", b"defghijkl", b"mn"):
            outbox.sendall(part)
        assert (far.recv(100), bytes(kept)) == (b"abcdefghijkl", b"mn")


@pytest.mark.parametrize(
    "sends", [b"", HELP[:-2], FORM + b"Content-Length: 99\r\n\r\ncode"], ids=["idle", "head", "body"]
)
def test_connection_that_brings_no_whole_request_in_time_is_closed_even_if_it_trickles(port: int, sends: bytes) -> None:
    started = time.monotonic()
    with connect(port, sends) as client:
        client.settimeout(0.1)
        while time.monotonic() - started < 20:
            try:
                if sends:
                    client.sendall(b"x")
                if not client.recv(1000):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    assert SECONDS - 1 < time.monotonic() - started < SECONDS + 4


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (b"Content-Length: 262145\r\n", 413),
        (b"Content-Length: 300000000\r\nContent-Type: multipart/form-data; boundary=x\r\n", 413),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n", 413),
        (b"Content-Length: " + b"0" * 30 + b"900000\r\n", 413),
        (b"Transfer-Encoding: chunked\r\n", 411),
        (b"X: " + b"x" * 40_000 + b"\r\n", 431),
    ],
    ids=["form", "file", "digits", "zeros", "chunks", "head"],
)
def test_request_that_is_too_long_is_refused_before_it_has_come(port: int, fields: bytes, status: int) -> None:
    started = time.monotonic()
    answer = answer_to(port, FORM + fields + b"\r\n")
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert time.monotonic() - started < 3
    head, _blank, text = answer.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(text)}\r\n".encode() in head + b"\r\n"
    for words in ("Please go back", "Por favor", "988: Call or text", "oprima 2"):
        assert words.encode() in text, words


def test_head_that_does_not_end_is_refused_before_it_fills_the_memory(port: int) -> None:
    assert answer_to(port, HELP[:-2] + b"X: " + b"x" * 40_000).startswith(b"HTTP/1.1 431 ")


def test_largest_form_comes_through_in_pieces(port: int) -> None:
    body = b"code=" + b"x" * (256 * 1024 - 5)
    with connect(port, FORM + b"Content-Length: 262144\r\n\r\n") as client:
        for start in range(0, len(body), 50_000):
            client.sendall(body[start : start + 50_000])
            time.sleep(0.01)
        assert answer_from(client).startswith(b"HTTP/1.1 403")  # no CSRF token


def test_client_that_waits_for_leave_to_send_the_body_gets_it(port: int) -> None:
    with connect(port, FORM + b"Expect: 100-continue\r\nContent-Length: 6\r\n\r\n") as client:
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"code=a")
        assert answer_from(client).startswith(b"HTTP/1.1 403")


def test_no_thread_gives_leave_to_a_client_that_does_not_read(port: int) -> None:
    twice = HELP.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\nexpect:100-CONTINUE\r\n\r\n")
    assert answer_to(port, twice).startswith(b"HTTP/1.1 200")
    kept = bytearray()
    with socket.socket() as never_connected:
        worker.Outbox(never_connected, kept).send(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert kept.startswith(b"HTTP/1.1 100"), "whatever gunicorn sends, the main loop sends it"


def test_leave_is_not_given_where_it_is_not_understood_or_not_needed(port: int) -> None:
    head = FORM + b"Expect: 100-continue\r\nContent-Length: 6\r\n\r\n"
    for begins, rest in ((head.replace(b"HTTP/1.1", b"HTTP/1.0"), b"code=a"), (head + b"code=a", b"")):
        with connect(port, begins) as client:
            time.sleep(0.2)
            client.sendall(rest)
            assert answer_from(client)[8:12] == b" 403"


def test_connection_is_kept_for_one_request_after_the_other(port: int) -> None:
    form = FORM + b"Content-Length: 6\r\n\r\ncode=a\r\n"  # old browsers put an empty line after a form
    with connect(port) as client:
        for request, answer in ((HELP, b"200"), (form, b"403"), (HELP[:30], b""), (HELP[30:], b"200")):
            client.sendall(request)
            if answer:
                assert answer_from(client).startswith(b"HTTP/1.1 " + answer)
        client.sendall(HELP.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert answer_from(client).startswith(b"HTTP/1.1 200")
        assert client.recv(1000) == b""


def test_client_that_does_not_wait_for_the_answer_gets_no_second_one(port: int) -> None:
    with connect(port, HELP * 100) as client:
        assert answer_from(client).startswith(b"HTTP/1.1 200")
        assert client.recv(1000) == b""


def test_body_is_never_taken_for_a_request_of_its_own(port: int) -> None:
    length = str(len(HELP)).rjust(30, "0").encode()
    with connect(port, FORM + b"Content-Length: " + length + b"\r\nConnection: close\r\n\r\n") as client:
        client.settimeout(1)
        with pytest.raises(TimeoutError):
            client.recv(1000)  # the request has not come as a whole
        client.sendall(HELP)
        client.settimeout(20)
        received = b""
        while data := client.recv(65536):
            received += data
    assert received.startswith(b"HTTP/1.1 403")
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain; charset=rot13",
        "text/plain; a*=x''%41",
        "application/x-www-form-urlencoded; charset=idna",
        "multipart/form-data; boundary=x; charset=unicode_escape",
    ],
)
def test_sender_does_not_choose_how_a_form_is_read(port: int, kind: str) -> None:
    field = f"Content-Type: {kind}\r\n".encode()
    page = answer_to(port, b"GET /?note=%41%ff HTTP/1.1\r\nHost: localhost\r\n" + field + b"\r\n")
    assert page.startswith(b"HTTP/1.1 200")
    body = b"--x\r\nContent-Disposition: form-data; name*=rot13''code\r\n\r\n\\ud800\r\n--x--\r\n"
    form = b"POST /return/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n" % len(body)
    assert answer_to(port, form + field + b"\r\n" + body).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize(
    "request_line",
    [
        f"{SECRET} / HTTP/9\r\n",
        f"GET /{SECRET}\r\n",
        f"GET / HTTP/1.1\r\nHost: localhost\r\n{SECRET}\r\n",
        f"GET / HTTP/1.1\r\nHost: localhost\r\n{SECRET} : 1\r\n",
        f"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {SECRET}\r\n",
        f"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: {SECRET}\r\n",
        f"GET / HTTP/1.1\r\nHost: localhost\r\nExpect: {SECRET}\r\n",
        f"GET / HTTP/1.1\r\nHost: localhost\r\nX: {SECRET * 1000}\r\n",
        f"GET /{SECRET * 1000} HTTP/1.1\r\nHost: localhost\r\n",
        f"GET / HTTP/1.1\r\nHost: {SECRET}.example\r\n",
        f"GET /{SECRET} HTTP/1.1\r\nHost: localhost\r\n",
        "GET /help/ HTTP/1.1\r\nHost: localhost\r\n",
    ],
)
def test_no_answer_names_the_server_repeats_what_was_sent_or_may_be_stored(port: int, request_line: str) -> None:
    answer = answer_to(port, f"{request_line}\r\n".encode()).decode()
    assert re.match(r"HTTP/1.1 [245]\d\d ", answer)
    assert not answer.startswith("HTTP/1.1 500")
    assert f"Cache-Control: {NO_STORE}\r\n" in answer
    for name in (*HEADERS, "Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options"):
        assert f"\r\n{name}: " in answer
    assert SECRET not in answer
    assert "server:" not in answer.lower()
    assert "gunicorn" not in answer.lower()


@pytest.mark.parametrize(
    "sends", [b"\r\n\r\n", b"\r\n" * 20_000, b"\0" * 40_000, b"\x16\x03\x01" + b"\xff" * 500 + b"\r\n\r\n"]
)
def test_noise_costs_nothing(port: int, sends: bytes) -> None:
    with ExitStack() as stack:
        for _number in range(20):
            stack.enter_context(connect(port, sends))
        started = time.monotonic()
        assert answer_to(port, HELP).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - started < 3


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "Script-Name", "PATH_INFO"])
def test_header_cannot_move_the_desk_past_a_rule_of_the_proxy(port: int, name: str) -> None:
    moved = f"GET /x/admin/login/ HTTP/1.1\r\nHost: localhost\r\n{name}: /x\r\n\r\n"
    assert answer_to(port, moved.encode()).startswith(b"HTTP/1.1 404")


def test_header_cannot_make_a_connection_look_secure(port: int) -> None:
    for field in (b"", b"X-Forwarded-Proto: https\r\n", b"X-Forwarded-Ssl: on\r\n"):
        request = b"GET /.well-known/security.txt HTTP/1.1\r\nHost: localhost\r\n" + field + b"\r\n"
        assert b"http://localhost/" in answer_to(port, request)
