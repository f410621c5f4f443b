"""Which channels a session asks for, and what it says of those that it does not get."""

from collections import Counter
from random import Random

import pytest

from qbtrade.adapters.kis.auth import Auth, OwnToken
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.events import Registered, RegistrationRefused
from qbtrade.adapters.kis.feed import KisFeed
from qbtrade.adapters.kis.http import HttpRequest
from qbtrade.adapters.kis.limiter import Limiter, OwnGrants
from qbtrade.adapters.kis.registrations import Channel
from qbtrade.adapters.kis.rest import Rest
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.app.rules import load_rules
from qbtrade.domain.events import Alert, FeedLost
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from tests.adapters.kis.desk import NOW, an_environment
from tests.builders import MINUTE
from tests.fakes import FakeMarket


class Channels:
    """A stream that takes every channel down."""

    def __init__(self) -> None:
        self.registered: list[Channel] = []

    def start(self) -> None:
        """Connect to nothing."""

    def use_key(self, key: str) -> None:
        """Keep none."""

    def register(self, channel: Channel) -> None:
        """Take it down."""
        self.registered.append(channel)

    def reconnect(self, reason: str) -> None:
        """Stay as it is."""


class Sent:
    """Requests that nobody answers."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []

    def send(self, request: HttpRequest) -> None:
        """Take it down."""
        self.requests.append(request)

    def hold(self, why: str) -> None:
        """Nothing leaves anyhow."""


class Ends:
    """A feed of so many symbols, its bus, and what lies below it."""

    def __init__(self, count: int, speaks: Dialect = "real") -> None:
        env, self.bus, self.sent, self.stream = an_environment(speaks), Bus(), Sent(), Channels()
        clock = SimClock(NOW)
        rest = Rest(env, Auth(env, OwnToken()), Limiter(env.limits, OwnGrants()), Random(1))
        symbols = tuple(f"{100_000 + number}" for number in range(count))
        self.feed = KisFeed(
            self.bus, clock, FakeMarket(self.bus), Caller(self.bus, clock, rest, self.sent), self.stream, env,
            load_rules().calendar, symbols=symbols, interval=MINUTE, held=tuple,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("speaks", "count", "expected"),
    [
        ("real", 13, {"H0STCNI0": 1, "H0STCNT0": 13, "H0STMKO0": 13, "H0STASP0": 13}),
        ("real", 14, {"H0STCNI0": 1, "H0STCNT0": 14, "H0STASP0": 14, "H0STMKO0": 12}),
        ("real", 20, {"H0STCNI0": 1, "H0STCNT0": 20, "H0STASP0": 20}),
        ("real", 21, {"H0STCNI0": 1, "H0STCNT0": 21, "H0STMKO0": 19}),
        ("real", 30, {"H0STCNI0": 1, "H0STCNT0": 30, "H0STMKO0": 10}),
        ("real", 40, {"H0STCNI0": 1, "H0STCNT0": 40}),
        ("paper", 20, {"H0STCNI9": 1, "H0STCNT0": 20, "H0STASP0": 20}),
        ("paper", 21, {"H0STCNI9": 1, "H0STCNT0": 21}),
    ],
)
def test_notices_and_trades_come_first_then_quotes_then_the_markets_operation(
    speaks: Dialect, count: int, expected: dict[str, int]
) -> None:
    ends = Ends(count, speaks)
    ends.feed.start()
    assert dict(Counter(channel.tr_id for channel in ends.stream.registered)) == expected
    assert len(ends.stream.registered) <= 41


@pytest.mark.parametrize(
    ("tr_id", "level", "action"),
    [
        ("H0STMKO0", "WARNING", "halts are asked after over REST, and known later"),
        ("H0STASP0", "WARNING", "the best prices come with each trade"),
        ("H0STCNI0", "CRITICAL", "order totals are asked over REST"),
        ("H0STCNT0", "CRITICAL", "check the symbol"),
    ],
)
def test_a_channel_that_does_not_come_is_said_with_what_stands_in_for_it(tr_id: str, level: str, action: str) -> None:
    ends, alerts = Ends(1), list[Alert]()
    ends.bus.subscribe(Alert, alerts.append)
    ends.bus.publish(RegistrationRefused(NOW, tr_id, "100000", "OPSP8993", "NO"))
    assert [(alert.level.name, alert.action) for alert in alerts] == [(level, action)]


def test_a_stream_that_never_came_is_connecting_and_only_one_that_went_is_lost() -> None:
    ends, states = Ends(1), list[str]()
    ends.feed.start()
    states.append(ends.feed.state)
    for event in (Registered(NOW, "H0STCNT0", "100000"), FeedLost(NOW, "a test")):
        ends.bus.publish(event)
        states.append(ends.feed.state)
    assert states == ["connecting", "open", "lost"]
