import socket
import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import msgspec
import pytest

from qbtrade.adapters.kis.events import HttpDone
from qbtrade.adapters.kis.http import ConnectFailed, Heeds, HttpOutcome, HttpReply, HttpRequest, NoAnswer
from qbtrade.adapters.kis.transport import HttpWorkers, call_once
from qbtrade.errors import FileError
from qbtrade.kernel.clock import LiveClock, sleep
from qbtrade.kernel.loop import Inbox
from tests.adapters.kis.transport.servers import (
    Behaviour,
    Stuck,
    certificate,
    drip,
    http_server,
    nothing,
    our_threads,
    reply,
    reset,
    say,
    stall,
    take,
    until,
)
from tests.builders import SECOND
from tests.program import PATIENCE
from tests.servers import HOST, free_port

ORDER = b'{"PDNO":"005930","ORD_QTY":"1"}'
KEPT = "Connection: keep-alive"


def an_order(url: str, *, number: int = 1, seconds: float = 0.5) -> HttpRequest:
    return HttpRequest(
        request_id=number, method="POST", url=f"{url}/order?CANO=12345678", headers={"tr_id": "TTTC0012U"}, body=ORDER,
        timeout_ns=int(seconds * SECOND), once=True,
    )  # fmt: skip


def an_entry(url: str, *, number: int = 1, seconds: float = 0.5, wait: float = 0) -> HttpRequest:
    return msgspec.structs.replace(
        an_order(url, number=number, seconds=seconds), heeds="halt", wait_ns=int(wait * SECOND)
    )


def a_read(url: str, *, number: int = 1, seconds: float = 0.5) -> HttpRequest:
    return HttpRequest(
        request_id=number, method="GET", url=f"{url}/price?A=1&B=", headers={"tr_id": "FHKST01010100"},
        timeout_ns=int(seconds * SECOND),
    )  # fmt: skip


@contextmanager
def workers(inbox: Inbox) -> Iterator[HttpWorkers]:
    running = HttpWorkers(inbox, LiveClock())
    try:
        yield running
    finally:
        assert running.close()
    assert our_threads() == []


def outcome_of(request: HttpRequest) -> HttpOutcome:
    inbox = Inbox()
    with workers(inbox) as running:
        running.send(request)
        (done,) = take(inbox, HttpDone)
    assert isinstance(done, HttpDone)
    assert done.request_id == request.request_id
    assert len(inbox) == 0
    return done.outcome


@pytest.mark.parametrize(
    ("behave", "status", "body"),
    [
        (reply(200, b'{"rt_cd":"0"}', "tr_cont: M"), 200, b'{"rt_cd":"0"}'),
        (reply(500, b"<html>Internal Server Error</html>"), 500, b"<html>Internal Server Error</html>"),
        (reply(200, b""), 200, b""),
        (reply(200, b'{"rt_cd":"0","out'), 200, b'{"rt_cd":"0","out'),
        (reply(307, b"", "Location: /elsewhere"), 307, b""),
        (reply(200, b"\xff\xfe"), 200, b"\xff\xfe"),
    ],
)
def test_whatever_the_server_says_is_a_reply_and_an_order_reaches_it_once(
    behave: Behaviour, status: int, body: bytes
) -> None:
    with http_server(behave) as server:
        outcome = outcome_of(an_order(server.url))
    assert isinstance(outcome, HttpReply)
    assert (outcome.status, outcome.body) == (status, body)
    assert [request.endswith(ORDER) for request in server.requests] == [True]


@pytest.mark.parametrize(
    "behave",
    [
        stall, reset, nothing, drip, say(b"HTTP/1.1 200 OK\r\nContent-Le"), say(b"nonsense\r\n\r\n"),
        say(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"),
        say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    ],
)  # fmt: skip
def test_after_sending_no_whole_answer_is_no_answer_and_an_order_is_not_sent_again(behave: Behaviour) -> None:
    with http_server(behave) as server:
        outcome = outcome_of(an_order(server.url))
    assert isinstance(outcome, NoAnswer)
    assert [request.endswith(ORDER) for request in server.requests] == [True]
    assert "12345678" not in outcome.reason


def test_an_answer_that_drips_is_given_up_at_the_deadline() -> None:
    def drip_body(sock: socket.socket) -> None:
        say(b"HTTP/1.1 200 OK\r\n\r\n")(sock)
        drip(sock)

    with http_server(drip_body) as server:
        assert isinstance(outcome_of(a_read(server.url)), NoAnswer)


def test_without_a_listener_nothing_was_sent() -> None:
    outcome = outcome_of(an_order(f"http://{HOST}:{free_port()}"))
    assert outcome == ConnectFailed("Connection refused")


def test_a_host_that_has_no_address_was_sent_nothing() -> None:
    assert isinstance(outcome_of(an_order("http://no-such-host.invalid", seconds=5)), ConnectFailed)


def test_a_handshake_that_fails_was_sent_nothing() -> None:
    with http_server(nothing) as server:
        outcome = outcome_of(an_order(server.url.replace("http", "https")))
    assert isinstance(outcome, ConnectFailed)
    assert not any(ORDER in request for request in server.requests)


def test_over_tls_a_stranger_is_sent_nothing_and_a_trusted_server_everything_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    with http_server(reply(200, b"{}"), tls) as server:
        assert isinstance(outcome_of(an_order(server.url, seconds=5)), ConnectFailed)
        assert server.requests == []
        monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(pem))
        assert isinstance(outcome_of(an_order(server.url, seconds=5)), HttpReply)
        server.behave = stall
        assert isinstance(outcome_of(an_order(server.url)), NoAnswer)
        server.behave = reset
        assert isinstance(outcome_of(an_order(server.url)), NoAnswer)
    assert [request.endswith(ORDER) for request in server.requests] == [True] * 3


def test_each_order_has_a_connection_of_its_own_and_reads_share_one() -> None:
    inbox = Inbox()
    with http_server(reply(200, b"{}", KEPT)) as server, workers(inbox) as running:
        for number in range(3):
            running.send(an_order(server.url, number=number))
            take(inbox, HttpDone)
        orders = server.connections
        for number in range(10):
            running.send(a_read(server.url, number=number))
            take(inbox, HttpDone)
        assert (orders, server.connections - orders <= 2) == (3, True)
        assert len(server.requests) == 13


def test_a_read_on_a_connection_that_died_meanwhile_is_no_answer_not_a_failed_connect() -> None:
    inbox, replies = Inbox(), iter([reply(200, b"{}", KEPT), reset])

    def in_turn(sock: socket.socket) -> None:
        next(replies)(sock)

    with http_server(in_turn) as server:
        running = HttpWorkers(inbox, LiveClock(), readers=1)
        running.send(a_read(server.url))
        take(inbox, HttpDone)
        running.send(a_read(server.url))
        (done,) = take(inbox, HttpDone)
        assert running.close()
        assert isinstance(done, HttpDone)
        assert isinstance(done.outcome, NoAnswer)
        assert server.connections == 1


def test_handing_over_never_waits_and_slow_reads_hold_up_no_order() -> None:
    inbox, slow = Inbox(), Stuck()
    with http_server(slow) as deaf, http_server(reply(200, b"{}")) as quick, workers(inbox) as running:
        for number in range(10):
            running.send(a_read(deaf.url, number=number, seconds=PATIENCE))
        running.send(an_order(quick.url, number=99, seconds=PATIENCE))
        assert ended(inbox, 1)[0].request_id == 99
        slow.let_go()


def test_a_stuck_order_holds_up_no_cancel() -> None:
    inbox, stuck = Inbox(), Stuck()
    with http_server(stuck) as deaf, http_server(reply(200, b"{}")) as quick, workers(inbox) as running:
        running.send(an_order(deaf.url, number=1, seconds=PATIENCE))
        running.send(an_order(quick.url, number=2, seconds=PATIENCE))
        assert ended(inbox, 1)[0].request_id == 2
        stuck.let_go()
        assert ended(inbox, 1)[0].request_id == 1


def test_an_entry_that_finds_no_thread_in_its_time_never_leaves() -> None:
    inbox, stuck = Inbox(), Stuck()
    with http_server(stuck) as deaf, http_server(reply(200, b"{}")) as quick, workers(inbox) as running:
        for number in range(4):
            running.send(an_entry(deaf.url, number=number, seconds=PATIENCE))
        until(lambda: len(deaf.requests) == 4)
        running.send(an_entry(quick.url, number=4, wait=0.2, seconds=PATIENCE))
        running.send(an_entry(quick.url, number=5, wait=PATIENCE, seconds=PATIENCE))
        sleep(0.3)
        stuck.let_go()
        outcomes = {done.request_id: done.outcome for done in ended(inbox, 6)}
        assert outcomes[4] == ConnectFailed("it waited too long for a free thread")
        assert isinstance(outcomes[5], HttpReply)
        assert len(quick.requests) == 1


def test_a_cancel_has_a_thread_when_entries_have_taken_all_others() -> None:
    inbox, stuck = Inbox(), Stuck()
    with http_server(stuck) as deaf, http_server(reply(200, b"{}")) as quick, workers(inbox) as running:
        for number in range(5):
            running.send(an_entry(deaf.url, number=number, seconds=PATIENCE))
        running.send(an_order(quick.url, number=9, seconds=PATIENCE))
        assert ended(inbox, 1)[0].request_id == 9
        stuck.let_go()
        assert len(ended(inbox, 5)) == 5


def test_a_halt_stops_entries_that_wait_for_a_thread_and_no_cancel() -> None:
    inbox = Inbox()
    with http_server(stall) as stuck, http_server(reply(200, b"{}")) as quick, workers(inbox) as running:
        for number in range(4):
            running.send(an_entry(stuck.url, number=number, seconds=2))
        running.send(an_entry(quick.url, number=4, wait=60))
        running.hold("trading is halted")
        running.send(an_order(quick.url, number=5))
        outcomes = {done.request_id: done.outcome for done in ended(inbox, 6)}
        assert outcomes[4] == ConnectFailed("trading is halted")
        assert isinstance(outcomes[5], HttpReply)
        running.hold("")
        running.send(an_entry(quick.url, number=6))
        assert isinstance(ended(inbox, 1)[0].outcome, HttpReply)


def test_a_gate_that_breaks_costs_no_thread_and_lets_nothing_out() -> None:
    def broken(_heeds: Heeds) -> AbstractContextManager[str]:
        raise FileError("cannot write the fence")

    inbox = Inbox()
    with http_server(reply(200, b"{}")) as server:
        running = HttpWorkers(inbox, LiveClock(), senders=1, gate=broken)
        for number in range(3):
            running.send(an_entry(server.url, number=number))
        assert {type(done.outcome) for done in ended(inbox, 3)} == {ConnectFailed}
        assert running.close()
    assert server.requests == []


def ended(inbox: Inbox, count: int) -> list[HttpDone]:
    found = [take(inbox, HttpDone)[0] for _ in range(count)]
    return [done for done in found if isinstance(done, HttpDone)]


def test_closing_ends_every_thread_and_every_request_has_its_end() -> None:
    inbox = Inbox()
    with http_server(stall) as server:
        running = HttpWorkers(inbox, LiveClock(), senders=1)
        for number in range(3):
            running.send(an_entry(server.url, number=number, seconds=60))
        assert running.close(patience=0.3)
    assert [type(done.outcome) for done in ended(inbox, 3)] == [
        NoAnswer,
        ConnectFailed,
        ConnectFailed,
    ]
    assert len(server.requests) == 1
    assert our_threads() == []


def test_a_command_can_wait_for_one_exchange() -> None:
    with http_server(reply(200, b"{}", "TR_CONT: F")) as server:
        outcome = call_once(a_read(server.url))
    assert isinstance(outcome, HttpReply)
    assert (outcome.status, outcome.headers["tr_cont"], outcome.body) == (200, "F", b"{}")
    assert server.requests[0].startswith(b"GET /price?A=1&B= HTTP/1.1")


def test_neither_proxies_nor_netrc_of_the_machine_change_what_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text(f"machine {HOST} login someone password else")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", f"http://{HOST}:{free_port()}")
    with http_server(reply(200, b"{}")) as server:
        assert isinstance(call_once(a_read(server.url)), HttpReply)
    assert b"authorization" not in server.requests[0].lower()


def test_requests_and_replies_print_no_secret() -> None:
    request = HttpRequest(
        request_id=1, method="POST", url="https://host/x?CANO=12345678", headers={"appsecret": "s3cret"},
        body=b"s3cret", timeout_ns=1,
    )  # fmt: skip
    assert repr(request) == "HttpRequest(1, POST https://host/x, once=False)"
    assert repr(HttpReply(200, {"x": "s3cret"}, b"s3cret")) == "HttpReply(200, 6 bytes)"
