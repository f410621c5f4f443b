import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.sync.server import ServerConnection

from qbtrade.adapters.kis.events import (
    KeyWanted,
    Notice,
    NoticeUnread,
    Registered,
    RegistrationRefused,
)
from qbtrade.adapters.kis.reconnects import Pace
from qbtrade.adapters.kis.registrations import Channel
from qbtrade.adapters.kis.stream_terms import StreamLimits
from qbtrade.adapters.kis.transport import StreamThread
from qbtrade.domain.events import Alert, FeedLost, FeedRestored
from qbtrade.domain.market import Quote, Trade
from qbtrade.domain.message import Event
from qbtrade.errors import ConfigError
from qbtrade.kernel.clock import LiveClock, Stopwatch, sleep
from qbtrade.kernel.loop import Inbox
from tests.adapters.kis.transport.servers import http_server, our_threads, reply, take, until, ws_server
from tests.adapters.kis.wire import (
    NOTICES,
    QUOTES,
    START,
    TRADES,
    a_stream,
    answer,
    book_record,
    frame,
    notice_record,
    sealed_frame,
    trade_frame,
    trade_record,
)
from tests.builders import SECOND
from tests.program import PATIENCE
from tests.servers import HOST, free_port

QUICK = StreamLimits(answer=SECOND // 4, silence=SECOND, pace=Pace(waits=(SECOND // 20,), in_use=(SECOND // 5,)))
PING = '{"header":{"tr_id":"PINGPONG","datetime":"20261120100000"}}'


def agree(text: str) -> list[str | bytes]:
    """Take every command, and let a PINGPONG rest."""
    message = json.loads(text)
    if "body" not in message:
        return []
    code = {"1": "OPSP0000", "2": "OPSP0001"}[message["header"]["tr_type"]]
    return [answer(Channel(*message["body"]["input"].values()), code)]


def deaf(_: str) -> list[str | bytes]:
    return []


@contextmanager
def a_thread(url: str, inbox: Inbox, limits: StreamLimits = QUICK) -> Iterator[StreamThread]:
    thread = StreamThread(a_stream(limits), url, LiveClock(start=START), inbox)
    thread.start()
    thread.use_key("approval-key")
    try:
        yield thread
    finally:
        assert thread.close()
        assert our_threads() == []


def of(events: list[Event], *kinds: type[Event]) -> list[type[Event]]:
    return [type(event) for event in events if isinstance(event, kinds)]


def test_it_connects_subscribes_listens_and_takes_leave() -> None:
    inbox = Inbox()
    with ws_server(agree) as server:
        with a_thread(server.url, inbox) as thread:
            for channel in (TRADES, QUOTES, NOTICES):
                thread.register(channel)
            until(lambda: len(server.texts) == 3)
            server.say(trade_frame(trade_record(), trade_record(75_100, 2, 1_002)))
            server.say(frame("H0STASP0", book_record()))
            server.say(sealed_frame(notice_record()))
            events = take(inbox, Notice)
            assert of(events, KeyWanted, Registered, Trade, Quote, Notice) == [
                KeyWanted, Registered, Registered, Registered, Trade, Trade, Quote, Notice,
            ]  # fmt: skip
            assert thread.counts()["records"] == 3
        until(lambda: server.codes == [1000])
    assert [json.loads(text)["header"]["approval_key"] for text in server.texts] == ["approval-key"] * 3


def test_pingpong_comes_back_as_it_was_and_bytes_that_are_no_utf8_end_nothing() -> None:
    inbox = Inbox()
    with ws_server(agree) as server, a_thread(server.url, inbox) as thread:
        thread.register(TRADES)
        until(lambda: len(server.texts) == 1)
        server.say(b"\xff\xfe broken")
        server.say(trade_record().encode().replace(b"74900", b"\xb1\xe8"))
        server.say(b"0|H0STCNT0|001|" + trade_record().encode().replace(b"74900.50", b"\xb1\xe8\xff"))
        server.say(PING)
        take(inbox, Trade)
        until(lambda: server.texts[-1] == PING)
        assert (thread.counts()["unread"], thread.counts()["losses"], len(server.connections)) == (2, 0, 1)


def test_a_connection_that_breaks_is_made_again() -> None:
    inbox = Inbox()
    with ws_server(agree) as server, a_thread(server.url, inbox) as thread:
        thread.register(TRADES)
        take(inbox, Registered)
        server.connections[0].socket.close()
        events = take(inbox, FeedRestored)
        assert of(events, FeedLost, Registered, FeedRestored) == [FeedLost, Registered, FeedRestored]
        assert [json.loads(text)["body"]["input"]["tr_key"] for text in server.texts] == ["005930"] * 2


def test_a_server_that_takes_leave_is_come_back_to() -> None:
    inbox = Inbox()
    with ws_server(agree) as server, a_thread(server.url, inbox) as thread:
        thread.register(TRADES)
        take(inbox, Registered)
        server.connections[0].close(1001)
        lost = take(inbox, FeedRestored)
        assert [each.reason for each in lost if isinstance(each, FeedLost)] == ["closed by the server (1001)"]


def test_a_silent_server_is_left_and_come_back_to() -> None:
    inbox = Inbox()
    with ws_server(agree) as server, a_thread(server.url, inbox) as thread:
        thread.register(TRADES)
        events = take(inbox, FeedRestored)
        assert [each.reason for each in events if isinstance(each, FeedLost)] == ["silent"]
        assert len(server.connections) >= 2
        assert server.codes[0] == 1000


def test_a_server_that_never_answers_a_command_is_left() -> None:
    inbox = Inbox()
    with ws_server(deaf) as server, a_thread(server.url, inbox) as thread:
        thread.register(TRADES)
        events = take(inbox, FeedLost)
        assert [each.reason for each in events if isinstance(each, FeedLost)] == ["unanswered"]
        assert len(server.texts) == 3


def test_a_key_in_use_elsewhere_is_said_and_waited_out() -> None:
    inbox, taken = Inbox(), [True, True, False]

    def greet(connection: ServerConnection) -> None:
        if taken.pop(0):
            body = {"rt_cd": "9", "msg_cd": "OPSP8996", "msg1": "ALREADY IN USE appkey"}
            connection.send(json.dumps({"header": {"tr_id": "(null)", "tr_key": ""}, "body": body}))

    with ws_server(agree, greet) as server, a_thread(server.url, inbox) as thread:
        watch = Stopwatch()
        thread.register(TRADES)
        events = take(inbox, FeedRestored)
        assert of(events, Alert) == [Alert, Alert]
        assert watch.seconds() > 0.4


def test_nobody_listening_is_a_lost_feed_and_few_tries() -> None:
    inbox = Inbox()
    limits = StreamLimits(pace=Pace(waits=(SECOND // 5,)))
    with a_thread(f"ws://{HOST}:{free_port()}", inbox, limits) as thread:
        take(inbox, FeedLost)
        sleep(0.5)
        assert 1 <= thread.counts()["connects"] <= 4
        assert not [event for event in iter(lambda: inbox.take(0), None) if isinstance(event, FeedLost)]


def test_a_server_that_is_no_websocket_is_a_lost_feed_named_without_its_page() -> None:
    inbox = Inbox()
    with http_server(reply(503, b"<html>hello</html>")) as server, a_thread(server.url.replace("http", "ws"), inbox):
        (lost,) = [each for each in take(inbox, FeedLost) if isinstance(each, FeedLost)]
        assert lost.reason == "HTTP 503 instead of a stream"


def test_a_full_inbox_keeps_the_newest_trade_and_every_notice() -> None:
    inbox, count = Inbox(size=10), 500
    with ws_server(agree) as server, a_thread(server.url, inbox) as thread:
        thread.register(TRADES)
        thread.register(NOTICES)
        until(lambda: len(server.texts) == 2)
        for number in range(count):
            server.say(trade_frame(trade_record(75_000 + number, 1, 1_000 + number)))
            if number % 50 == 0:
                server.say(sealed_frame(notice_record(over={2: str(number + 1)})))
        until(lambda: thread.counts()["records"] == count)
        events = [event for event in iter(lambda: inbox.take(0), None) if event]
        prices = [event.price for event in events if isinstance(event, Trade)]
        assert sum(isinstance(event, Notice) for event in events) == 10
        assert prices[-1] == 75_000 + count - 1
        market = sum(isinstance(event, Trade | Quote) for event in events)
        assert thread.counts()["conflated"] == 2 * count - market  # each trade brought its best prices
        assert len(prices) < 12


def test_asking_never_waits_and_a_channel_too_many_never_reaches_the_wire() -> None:
    inbox, all_asked = Inbox(), threading.Event()

    def agree_later(text: str) -> list[str | bytes]:
        all_asked.wait(PATIENCE)
        return agree(text)

    with ws_server(agree_later) as server, a_thread(server.url, inbox) as thread:
        for number in range(42):
            thread.register(Channel("H0STCNT0", f"{100_000 + number}"))
        all_asked.set()
        take(inbox, RegistrationRefused)
        until(lambda: len(server.texts) == 41)
        thread.unregister(Channel("H0STCNT0", "100000"))
        until(lambda: json.loads(server.texts[-1])["header"]["tr_type"] == "2")


def test_a_text_in_many_pieces_is_one_text() -> None:
    inbox = Inbox()
    text = trade_frame(*(trade_record(volume=1_000 + 3 * n) for n in range(20)))
    with ws_server(agree) as server, a_thread(server.url, inbox) as thread:
        thread.register(TRADES)
        until(lambda: len(server.texts) == 1)
        server.connections[0].send(iter([text[:100], text[100:2_000], text[2_000:]]))
        assert len([take(inbox, Trade)[-1] for _ in range(20)]) == 20


def test_a_notice_nobody_can_open_is_never_lost_in_silence() -> None:
    inbox = Inbox()
    with ws_server(agree) as server, a_thread(server.url, inbox) as thread:
        thread.register(NOTICES)
        until(lambda: len(server.texts) == 1)
        server.say("1|H0STCNI0|001|bm90IG91cnM=")
        take(inbox, NoticeUnread)


def test_closing_before_anything_stands_ends_the_thread() -> None:
    thread = StreamThread(a_stream(), f"ws://{HOST}:{free_port()}", LiveClock(start=START), Inbox())
    thread.start()
    assert thread.close()
    assert thread.close()
    assert our_threads() == []


def test_closing_what_never_started_leaves_nothing_open() -> None:
    assert StreamThread(a_stream(), f"ws://{HOST}:{free_port()}", LiveClock(start=START), Inbox()).close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_ours_on_the_thread_is_a_lost_feed() -> None:
    inbox, clock = Inbox(), LiveClock(start=START)
    thread = StreamThread(a_stream(), f"ws://{HOST}:{free_port()}", clock, inbox)
    thread.start()
    thread.register([])  # type: ignore[arg-type] # what no caller may do
    (lost,) = [each for each in take(inbox, FeedLost) if isinstance(each, FeedLost)]
    assert lost.reason == "the stream's thread ended"
    assert thread.close()


def test_only_plain_websocket_addresses_are_taken() -> None:
    with pytest.raises(ConfigError, match="no stream address"):
        StreamThread(a_stream(), "https://somewhere", LiveClock(), Inbox())
