"""Our REST client against the local KIS, both without sockets, on virtual time: two readings of one description."""

import json
from collections.abc import Callable
from datetime import time
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from qbtrade.adapters.emulator.wire import Reply, Request
from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.auth import Auth, OwnToken
from qbtrade.adapters.kis.call import Call
from qbtrade.adapters.kis.environment import NS, Secret
from qbtrade.adapters.kis.http import HttpOutcome, HttpReply, HttpRequest, NoAnswer
from qbtrade.adapters.kis.limiter import Limiter, OwnGrants
from qbtrade.adapters.kis.outcomes import Accepted, Alarm, Answer, Failed, Output, Refused, Send, Unconfirmed, WakeAt
from qbtrade.adapters.kis.parse.orders import OrderHistory
from qbtrade.adapters.kis.rest import Rest
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.domain.order import Side
from tests.adapters.emulator.driver import ALWAYS, Driver
from tests.adapters.kis.desk import an_environment
from tests.builders import an_order

LONGEST = 900 * NS


class Line:
    """A client and a local KIS with one clock between them. codes: what KIS refused with, in order."""

    def __init__(self, side: Dialect, clock: str = "10:00", **plan: Any) -> None:
        self.driver = Driver(on=side, **plan).at(clock)
        held = self.driver.held
        self.env = an_environment(
            side, app_key=Secret(held.app_key), app_secret=Secret(held.app_secret), account=held.account
        )
        self.auth = Auth(self.env, OwnToken())
        self.rest = Rest(self.env, self.auth, Limiter(self.env.limits, OwnGrants()), Random(7))
        self.today = self.driver.stage.first
        self.codes: list[str] = []
        self.alarms: list[str] = []
        self.sent: list[str] = []
        self._answers: dict[str, Any] = {}
        self._wake = 0

    def ask(self, *wanted: Call[Any]) -> Any:
        """The answers to these calls, asked at once."""
        names = [f"{number}" for number, _call in enumerate(wanted)]
        for name, call in zip(names, wanted, strict=True):
            self._do(self.rest.ask(self.now, name, call))
        until = self.now + LONGEST
        while not self._answers.keys() >= set(names):
            self._step()
            assert self.now < until
        found = [self._answers.pop(name) for name in names]
        return found[0] if len(found) == 1 else found

    def fail(self, fault: str, rate: int = ALWAYS) -> None:
        """From now on this goes wrong."""
        body = json.dumps({fault: rate}).encode()
        self.driver.core.request(self.now, 0, Request("PUT", "/emulator/faults", {}, {}, body))

    def mend(self, fault: str) -> None:
        """From now on it does not."""
        self.fail(fault, 0)

    @property
    def now(self) -> int:
        return self.driver.now

    def _step(self) -> None:
        due = min(self.driver.core.clock.next_due, self._wake or self.driver.core.clock.next_due)
        self.driver.now = max(self.now, due)
        self.driver.core.advance(self.now)
        if self._wake and self._wake <= self.now:
            self._wake = 0
            self._do(self.rest.on_timer(self.now))
        self._deliver()

    def _deliver(self) -> None:
        outputs, self.driver.core.outputs[:] = list(self.driver.core.outputs), []
        for output in outputs:
            if isinstance(output, Reply):
                self._do(self.rest.on_reply(self.now, output.number, self._outcome(output)))

    def _outcome(self, reply: Reply) -> HttpOutcome:
        if reply.answer is None:
            return NoAnswer("timed out")
        if reply.answer.status != 200:
            self.codes.append(f"{reply.answer.status}")
        headers = {name.lower(): value for name, value in reply.answer.headers.items()}
        return HttpReply(reply.answer.status, headers, reply.answer.body)

    def _do(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Send(request=request):
                    self._send(request)
                case Answer(call_id=call_id, result=result):
                    self._answers[call_id] = result
                case WakeAt(ts=ts):
                    self._wake = ts
                case Alarm(code=code):
                    self.alarms.append(code)

    def _send(self, request: HttpRequest) -> None:
        place = urlsplit(request.url)
        self.sent.append(place.path.rpartition("/")[2])
        query = dict(parse_qsl(place.query, keep_blank_values=True))
        headers = dict(request.headers)
        wanted = Request(request.method, place.path, headers, query, request.body)
        self.driver.core.request(self.now, request.request_id, wanted)


EVERYWHERE: dict[str, Callable[[Line], Call[Any]]] = {
    "balance": lambda line: calls.balance(line.env),
    "buying_power": lambda line: calls.buying_power(line.env, "005930", 75_000),
    "order_history": lambda line: calls.order_history(line.env, line.today, line.today),
    "price": lambda line: calls.price(line.env, "005930"),
    "book": lambda line: calls.book(line.env, "005930"),
    "conclusions": lambda line: calls.conclusions(line.env, "005930"),
    "conclusions_until": lambda line: calls.conclusions_until(line.env, "005930", time(9, 30)),
    "minute_bars": lambda line: calls.minute_bars(line.env, "005930", time(10)),
    "daily_bars": lambda line: calls.daily_bars(line.env, "005930", line.today.replace(day=1), line.today),
    "approval_key": lambda _line: calls.approval_key(),
}
REAL_ONLY: dict[str, Callable[[Line], Call[Any]]] = {
    "live_orders": lambda line: calls.live_orders(line.env),
    "sellable": lambda line: calls.sellable(line.env, "005930"),
    "past_minute_bars": lambda line: calls.past_minute_bars(line.env, "005930", line.today, time(9, 30)),
    "market_days": lambda line: calls.market_days(line.env, line.today),
    "interruptions": lambda line: calls.interruptions(line.env, "005930", line.today),
    "stock_info": lambda line: calls.stock_info(line.env, "005930"),
}


@pytest.fixture(scope="module")
def lines() -> dict[Dialect, Line]:
    return {"real": Line("real"), "paper": Line("paper")}


@pytest.mark.parametrize("name", EVERYWHERE | REAL_ONLY)
def test_real_answers_every_question_so_that_we_can_read_it(name: str, lines: dict[Dialect, Line]) -> None:
    line = lines["real"]
    assert not isinstance(line.ask((EVERYWHERE | REAL_ONLY)[name](line)), Failed)


@pytest.mark.parametrize("name", EVERYWHERE)
def test_paper_answers_every_question_it_has_so_that_we_can_read_it(name: str, lines: dict[Dialect, Line]) -> None:
    line = lines["paper"]
    assert not isinstance(line.ask(EVERYWHERE[name](line)), Failed)


@pytest.mark.parametrize("side", ["real", "paper"])
def test_an_order_is_taken_moved_and_canceled_under_its_numbers(side: Dialect) -> None:
    line = Line(side)
    price = line.ask(calls.price(line.env, "005930"))
    low = price.last - 20 * price.tick
    taken = line.ask(calls.order(line.env, an_order(qty=3, price=low)))
    assert isinstance(taken, Accepted)

    moved = line.ask(calls.amend(line.env, taken.ack.branch, taken.ack.order_no, "00", price=low - price.tick))
    assert isinstance(moved, Accepted)
    canceled = line.ask(calls.cancel(line.env, moved.ack.branch, moved.ack.order_no, "00"))
    assert isinstance(canceled, Accepted)
    assert len({taken.ack.order_no, moved.ack.order_no, canceled.ack.order_no}) == 3


def test_a_fill_is_told_by_history_and_balance_to_the_won() -> None:
    line = Line("real")
    price = line.ask(calls.price(line.env, "005930"))
    taken = line.ask(calls.order(line.env, an_order(qty=2, price=price.last + 5 * price.tick)))
    assert isinstance(taken, Accepted)
    line.driver.wait(60 * NS)

    history, balance = line.ask(calls.order_history(line.env, line.today, line.today), calls.balance(line.env))
    (row,) = history.rows
    (holding,) = balance.holdings
    assert (row.order_no, row.side, row.filled_qty, row.open_qty) == (taken.ack.order_no, Side.BUY, 2, 0)
    assert (holding.symbol, holding.qty, holding.cost) == ("005930", 2, row.filled_amount)
    assert balance.cash == 10_000_000 - row.filled_amount - balance.costs


def test_refusals_come_with_their_codes() -> None:
    line = Line("real")
    price = line.ask(calls.price(line.env, "005930"))
    low = price.last - 10 * price.tick
    off_grid, too_much, unheld = line.ask(
        calls.order(line.env, an_order("Q1", price=low + 1)),
        calls.order(line.env, an_order("Q2", price=low, qty=100_000)),
        calls.order(line.env, an_order("Q3", price=low, side=Side.SELL)),
    )
    assert (off_grid.code, too_much.code, unheld.code) == ("APBK0506", "APBK0952", "APBK0400")
    assert all(isinstance(each, Refused) for each in (off_grid, too_much, unheld))


@pytest.mark.parametrize("side", ["real", "paper"])
def test_a_storm_of_calls_never_meets_the_rate_limit(side: Dialect) -> None:
    line = Line(side)
    many = [calls.price(line.env, "005930") for _ in range(60 if side == "real" else 12)]
    answers = line.ask(*many, calls.balance(line.env), calls.order_history(line.env, line.today, line.today))
    assert not any(isinstance(each, Failed) for each in answers)
    assert line.codes == []


def test_pages_are_complete_however_many_there_are() -> None:
    line = Line("real")
    price = line.ask(calls.price(line.env, "005930"))
    numbers = []
    for number in range(120):
        taken = line.ask(calls.order(line.env, an_order(f"Q{number}", price=price.last - 20 * price.tick)))
        assert isinstance(taken, Accepted)
        numbers.append(taken.ack.order_no)
    history, live = line.ask(calls.order_history(line.env, line.today, line.today), calls.live_orders(line.env))
    assert isinstance(history, OrderHistory)
    assert sorted(row.order_no for row in history.rows) == sorted(numbers)
    assert sorted(order.order_no for order in live) == sorted(numbers)


def test_paper_tells_totals_without_rows() -> None:
    line = Line("paper")
    price = line.ask(calls.price(line.env, "005930"))
    line.ask(calls.order(line.env, an_order(price=price.last - 10 * price.tick)))
    assert line.ask(calls.order_history(line.env, line.today, line.today)).lacks_rows


def test_a_wrong_secret_stops_the_client_with_an_alarm() -> None:
    line = Line("real")
    line.env = an_environment(app_key=Secret(line.driver.held.app_key), account=line.driver.held.account)
    line.rest = Rest(line.env, Auth(line.env, OwnToken()), Limiter(line.env.limits, OwnGrants()), Random(7))
    assert isinstance(line.ask(calls.balance(line.env)), Failed)
    assert line.alarms == ["token-refused"]
    assert line.sent == ["tokenP"]


FAULTS = (
    "answer-lost", "timeout-taken", "timeout-not-taken", "server-error", "truncated-json", "ledger-busy", "slow-answer",
    "other-case", "data-changed", "late-rows",
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_goes_wrong_no_order_is_sent_twice_and_none_that_exists_counts_as_refused(fault: str) -> None:
    line = Line("real", faults={fault: ALWAYS // 4})
    outcomes = []
    for number in range(12):
        outcomes.append(line.ask(calls.order(line.env, an_order(f"Q{number}", price=70_000))))
        line.driver.wait(90 * NS)
    line.mend(fault)
    taken = [each.ack.order_no for each in outcomes if isinstance(each, Accepted)]
    unsure = sum(isinstance(each, Unconfirmed) for each in outcomes)

    history = line.ask(calls.order_history(line.env, line.today, line.today))
    there = {row.order_no for row in history.rows}
    assert line.sent.count("order-cash") == len(taken) + unsure
    assert set(taken) <= there
    assert len(there) <= len(taken) + unsure
    assert line.alarms == []


def test_a_token_that_dies_early_is_replaced_and_the_question_answered() -> None:
    line = Line("real")
    line.ask(calls.balance(line.env))
    line.fail("token-death")
    line.ask(calls.order(line.env, an_order(price=70_000)))
    line.mend("token-death")
    assert not isinstance(line.ask(calls.balance(line.env)), Failed)
    assert line.sent.count("tokenP") == 2
    assert line.alarms == []


def test_a_token_that_comes_back_dead_stops_the_client_after_one_refresh() -> None:
    line = Line("real", faults={"token-death": ALWAYS, "token-stays-dead": ALWAYS})
    assert isinstance(line.ask(calls.balance(line.env)), Failed)
    assert line.alarms == ["token-refused"]
    assert line.sent.count("tokenP") == 2
