"""The bridge to a real Redis: healthy, paused, killed, without permission, and asked to halt."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qbtrade.adapters.redis import names
from qbtrade.adapters.redis.bridge import BOUND, Bridge
from qbtrade.adapters.redis.commands import FRESH, Commands, HaltCommand
from qbtrade.adapters.redis.reading import NEW, START, Reader, Told
from qbtrade.domain.events import Alert, Heartbeat, Signal
from qbtrade.domain.market import Quote, Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import Side
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import LiveClock, Stopwatch, sleep, wall_ns
from qbtrade.kernel.loop import Inbox
from tests.adapters.redis.server import PATIENCE, Server, redis_at
from tests.builders import SAMSUNG

ACCOUNT, KEY = "paper-0123456789abcdef", "a key of both sides"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with redis_at(tmp_path) as running:
        yield running


class Session:
    """A bus that is followed, and what the bridge says back."""

    def __init__(self, url: str, key: str = KEY) -> None:
        self.bus, self.inbox, self.halts = Bus(), Inbox(), list[str]()
        self.said = list[Alert]()
        commands = Commands(key, ACCOUNT)
        self.bridge = Bridge(url, "run-1", commands, self.inbox, LiveClock(), self.halts.append)
        self.bridge.follow(self.bus)

    def signal(self, number: int) -> None:
        self.bus.publish(Signal(number, SAMSUNG, Side.BUY, f"reason {number}"))

    def hears(self, code: str) -> Alert:
        """Wait for an alert."""
        watch = Stopwatch()
        while watch.seconds() < PATIENCE:
            event = self.inbox.take(0.1)
            if isinstance(event, Alert):
                self.said.append(event)
                if event.code == code:
                    return event
        raise AssertionError(f"{code} was not said, but {self.said}")


@contextmanager
def followed(server: Server, key: str = KEY) -> Iterator[Session]:
    session = Session(server.url, key)
    try:
        yield session
    finally:
        session.bridge.close()


def until(condition: Callable[[], bool]) -> None:
    watch = Stopwatch()
    while not condition():
        assert watch.seconds() < PATIENCE
        sleep(0.02)


def told(reader: Reader, last: int) -> tuple[list[Told], int]:
    """What is told up to the event of this number, or less when it does not come."""
    found, missed, watch = list[Told](), 0, Stopwatch()
    while not (found and found[-1].n == last) and watch.seconds() < PATIENCE:
        new, lost = reader.read(0.2)
        found += new
        missed += lost
    return found, missed


def test_every_event_of_consequence_is_told_once_and_in_order(server: Server) -> None:
    reader = Reader(server.url, START)
    with followed(server) as session:
        for number in range(1, 2_501):
            session.signal(number)
        session.bus.publish(Heartbeat(2_501))
    found, missed = told(reader, 2_500)
    assert [one.n for one in found] == list(range(1, 2_501))
    assert {(one.run, one.type) for one in found} == {("run-1", "SIGNAL")}
    assert '"reason 2500"' in found[-1].body
    assert (missed, reader.read(0.1)) == (0, ([], 0))


def test_what_waits_when_a_session_ends_is_told_before_its_thread_ends(server: Server) -> None:
    with followed(server) as session:
        session.signal(1)
    assert server.client.xlen(names.EVENTS) == 1


def test_last_prices_and_status_are_hashes_that_expire(server: Server) -> None:
    with followed(server) as session:
        session.bus.publish(Trade(1, SAMSUNG, 75_000, 5))
        session.bus.publish(Trade(2, SAMSUNG, 75_100, 7))
        session.bus.publish(Quote(3, SAMSUNG, 75_000, 10, 75_100, 20))
        session.bridge.show(ACCOUNT, {"run": "run-1", "written": "9", "status": "{}"})
    client = server.client
    last = {"price": "75100", "qty": "7", "ts": "2", "bid": "75000", "ask": "75100"}
    assert client.hgetall(names.last_of(SAMSUNG)) == last
    assert client.hgetall(names.status_of(ACCOUNT)) == {"run": "run-1", "written": "9", "status": "{}"}
    assert client.get(names.heartbeat_of("run-1")) == "9"
    keys = (names.last_of(SAMSUNG), names.status_of(ACCOUNT), names.heartbeat_of("run-1"))
    assert all(0 < client.ttl(key) <= names.LAST_LASTS for key in keys)


def test_a_server_that_hangs_takes_nothing_from_the_kernel_and_gets_everything_later(server: Server) -> None:
    with followed(server) as session:
        session.signal(1)
        until(lambda: server.client.xlen(names.EVENTS) == 1)
        server.pause()
        for number in range(2, 1_002):
            session.signal(number)  # returns, though nobody takes it
        assert session.hears("views-lost").text.startswith("Redis is away (no answer in time)")
        server.resume()
        session.hears("views-back")
    found, missed = told(Reader(server.url, START), 1_001)
    assert [one.n for one in found] == list(range(1, 1_002))
    assert missed == 0


def test_what_does_not_fit_is_dropped_and_the_follower_knows_how_much(server: Server) -> None:
    reader = Reader(server.url, START)
    with followed(server) as session:
        session.signal(1)
        assert told(reader, 1)[1] == 0
        server.pause()
        for number in range(2, BOUND + 5_002):
            session.signal(number)
        server.resume()
    found, missed = told(reader, BOUND + 5_001)
    assert found[-1].n == BOUND + 5_001
    assert missed + len(found) == BOUND + 5_000
    assert missed > 0


def test_a_server_that_was_killed_is_joined_again(server: Server) -> None:
    reader = Reader(server.url, START)
    with followed(server) as session:
        session.signal(1)
        assert len(told(reader, 1)[0]) == 1
        server.kill()
        session.signal(2)
        session.hears("views-lost")
        server.start()
        session.hears("views-back")
        session.signal(3)
        assert [one.n for one in told(reader, 3)[0]] == [2, 3]


def test_what_was_written_twice_is_read_once(server: Server) -> None:
    for number in (1, 2, 1, 2, 3):
        server.client.xadd(names.EVENTS, {"run": "run-1", "n": number, "ts": 1, "type": "SIGNAL", "body": "{}"})
    found, missed = Reader(server.url, START).read(0.1)
    assert [one.n for one in found] == [1, 2, 3]
    assert missed == 0


def test_a_reader_goes_on_where_it_stood(server: Server) -> None:
    first = Reader(server.url, START)
    with followed(server) as session:
        session.signal(1)
        place = told(first, 1)[0][-1].entry
        session.signal(2)
    assert [one.n for one in told(Reader(server.url, place), 2)[0]] == [2]
    late = Reader(server.url, NEW)
    late.begin()
    assert late.read(0.1) == ([], 0)


def test_a_user_without_permission_is_named_as_that_and_no_password_is_told(server: Server) -> None:
    server.client.acl_setuser("weak", enabled=True, passwords=["+secret-word"], commands=["+ping"])
    session = Session(server.url.replace("redis://:open-sesame", "redis://weak:secret-word"))
    session.signal(1)
    alert = session.hears("views-lost")
    session.bridge.close()
    assert "this user may not do that" in alert.text
    assert "secret-word" not in f"{alert.text}{alert.action}"


def test_a_user_with_the_permissions_of_the_guide_is_enough(server: Server) -> None:
    rights = ["+@stream", "+@hash", "+@string", "+@read", "+@write", "+@connection"]
    server.client.acl_setuser("qb", enabled=True, passwords=["+secret-word"], keys=["qb:*"], commands=rights)
    session = Session(server.url.replace("redis://:open-sesame", "redis://qb:secret-word"))
    session.signal(1)
    session.bridge.close()
    assert server.client.xlen(names.EVENTS) == 1


def test_a_full_server_is_named_as_that(server: Server) -> None:
    server.client.config_set("maxmemory", "1")
    with followed(server) as session:
        session.signal(1)
        assert "its memory is full" in session.hears("views-lost").text
        server.client.config_set("maxmemory", "0")
        session.hears("views-back")


def ask(server: Server, *, key: str = KEY, account: str = ACCOUNT, sent: int = 0, nonce: str = "1") -> None:
    command = HaltCommand(account, "too hot", sent or wall_ns(), nonce)
    Reader(server.url).send(command.signed(key))


@contextmanager
def listening(server: Server, key: str = KEY) -> Iterator[Session]:
    """A session whose bridge has come to listen."""
    with followed(server, key) as session:
        for number in (1, 2):
            session.signal(number)
            until(lambda number=number: server.client.xlen(names.EVENTS) == number)  # type: ignore[misc]
        yield session


def test_a_signed_halt_is_obeyed_once(server: Server) -> None:
    with listening(server) as session:
        ask(server)
        ask(server)  # the same one, as it was heard by somebody who writes it again
        ask(server, nonce="2")
        until(lambda: len(session.halts) == 2)
    assert session.halts == ["too hot", "too hot"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"key": "guessed"}, "signature"), ({"sent": wall_ns() - 3 * FRESH}, "older than a minute")],
    ids=["a wrong key", "an old command"],
)
def test_a_halt_that_cannot_be_trusted_is_told_and_not_obeyed(
    server: Server, changes: dict[str, str | int], why: str
) -> None:
    with listening(server) as session:
        ask(server, **changes)  # type: ignore[arg-type]
        assert why in session.hears("command-refused").text
    assert session.halts == []


def test_without_a_key_nothing_is_obeyed(server: Server) -> None:
    with listening(server, key="") as session:
        ask(server, key="")
        assert "no redis_halt_key" in session.hears("command-refused").text
    assert session.halts == []


def test_a_command_for_another_account_is_not_heard(server: Server) -> None:
    with listening(server) as session:
        ask(server, account="paper-of-somebody-else")
        ask(server, nonce="2")
        until(lambda: bool(session.halts))
    assert len(session.halts) == 1
    assert not _alerts(session.inbox)


def test_a_changed_command_is_not_the_signed_one(server: Server) -> None:
    fields = {**HaltCommand(ACCOUNT, "too hot", wall_ns(), "1").signed(KEY), "command": "resume"}
    with listening(server) as session:
        Reader(server.url).send(fields)
        session.hears("command-refused")
    assert session.halts == []


def _alerts(inbox: Inbox) -> list[Event]:
    return [event for event in iter(lambda: inbox.take(0), None) if isinstance(event, Alert)]
