"""How a rehearsal ends before its data does: by a wish, by a fault of ours, by a journal that cannot be written."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from qbtrade.adapters.store.sqlite import SqliteJournal, read_events
from qbtrade.adapters.store.verify import integrity
from qbtrade.app import session as sessions
from qbtrade.app.plan import Limits, MockPlan, SimulationPlan, VenuePlan
from qbtrade.app.report import encode, made_from
from qbtrade.app.sessions import find, load
from qbtrade.app.status import NoScreen
from qbtrade.app.wiring import BrokerMaker, sim_broker
from qbtrade.domain import events as ev
from qbtrade.domain.events import Outcome
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderRequest, OrderStatus
from qbtrade.errors import EngineFault, ExitCode, JournalError
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.loop import StopRequest
from qbtrade.ports import Broker, Clock, MarketView
from tests.builders import SECOND
from tests.rehearsals import a_plan, rehearse, rows, the_journal, walked

NOT_WORKING = {OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED}
RICH = Limits(max_budget=1_000_000)
WORKING = a_plan(
    mock=MockPlan(), interval=5 * SECOND, venue=VenuePlan(volume_share=1), limits=Limits(max_budget=10**8), cash=10**8
)
"""An order gets one share of every print, so that it still waits for the rest when the next bar closes."""
IN_FLIGHT = a_plan(venue=VenuePlan(latency=90 * SECOND))
"""An order is under way for longer than a bar lasts."""


class Stopper(NoScreen):
    """A screen that wants the session to end at the first bar after `ts` (UTC ns)."""

    def __init__(self, stop: StopRequest, ts: int) -> None:
        self._stop, self._ts = stop, ts

    def on_progress(self, ts: int, first: int, last: int, events: int) -> None:
        del first, last, events
        if ts > self._ts:
            self._stop.ask("a test")


# by a wish


@pytest.mark.parametrize("plan", [WORKING, IN_FLIGHT], ids=["working", "in-flight"])
def test_stop_cancels_what_works_and_closes_the_books(plan: SimulationPlan, tmp_path: Path) -> None:
    whole = rows(tmp_path / "whole", rehearse(plan, tmp_path / "whole"))
    asked_at = next(event.ts for event in whole if isinstance(event, ev.SubmitOrder))
    stop = StopRequest()
    result = rehearse(plan, tmp_path, Stopper(stop, asked_at), stop)
    assert (result.outcome, result.exit_code) == (Outcome.INTERRUPTED, ExitCode.INTERRUPTED)
    assert (result.report["session"]["outcome"], result.report["session"]["reason"]) == ("INTERRUPTED", "a test")
    events = rows(tmp_path, result)
    orders = walked(events)
    assert orders
    assert {order.status for order in orders.values()} <= NOT_WORKING
    assert [event.reason for event in events if isinstance(event, ev.OrderCanceling)] == ["session-stopped"]
    assert isinstance(events[-1], ev.SessionEnded)
    assert result.report_path.read_bytes() == encode(load(find(tmp_path, result.run_id)))


def test_stop_asked_before_the_start_leaves_an_empty_session(tmp_path: Path) -> None:
    stop = StopRequest()
    stop.ask("too late")
    result = rehearse(a_plan(), tmp_path, stop=stop)
    assert (result.outcome, result.report["counts"]["orders"]) == (Outcome.INTERRUPTED, 0)


# by a fault of ours


class BrokenBroker:
    """A broker that breaks its promise never to raise, at its n-th order."""

    def __init__(self, whole: Broker, orders: int) -> None:
        self._whole, self._left = whole, orders

    def submit(self, order: OrderRequest) -> None:
        self._left -= 1
        if self._left < 0:
            raise ZeroDivisionError("no desk")
        self._whole.submit(order)

    def cancel(self, order_id: str) -> None:
        self._whole.cancel(order_id)

    def last_number(self) -> str:
        return self._whole.last_number()


def breaking_after(orders: int) -> Callable[..., BrokerMaker]:
    make_whole = sim_broker

    def maker(venue: VenuePlan, seed: int, *, sketched: bool = False) -> BrokerMaker:
        def make(bus: Bus, clock: Clock, market: MarketView) -> Broker:
            return BrokenBroker(make_whole(venue, seed, sketched=sketched)(bus, clock, market), orders)

        return make

    return maker


@pytest.mark.parametrize("orders", [0, 5])
def test_fault_in_an_engine_ends_the_session_safely_and_names_its_cause(
    orders: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "sim_broker", breaking_after(orders))
    with pytest.raises(
        EngineFault, match=r"ZeroDivisionError: no desk; the session was ended, its report is "
    ) as fault:
        rehearse(a_plan(), tmp_path)
    assert fault.value.exit_code is ExitCode.FAILED
    assert isinstance(fault.value.__cause__, ZeroDivisionError)
    journal = the_journal(tmp_path)
    assert integrity(journal) == ()
    (written,) = (tmp_path / "reports").iterdir()
    assert written.read_bytes() == encode(made_from(journal))
    assert str(written) in str(fault.value)
    *_, last = read_events(journal)
    assert isinstance(last, ev.SessionEnded)
    assert (last.outcome, last.reason) == (Outcome.FAULT, "ZeroDivisionError: no desk")


def test_no_order_works_on_after_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "sim_broker", breaking_after(1))
    stubborn = tmp_path / "stubborn.py"
    stubborn.write_text(
        "from qbtrade.ports import Strategy\n\n\n"
        "class Stubborn(Strategy):\n"
        "    def on_bar(self, bar):\n"
        "        self.desk.buy(bar.symbol, 'whatever comes')\n"
    )
    plan = a_plan(
        strategy=f"{stubborn}:Stubborn", symbols=("005930", "000660"), limits=RICH, venue=VenuePlan(latency=90 * SECOND)
    )  # the first order is under way when the second one breaks the broker
    with pytest.raises(EngineFault):
        rehearse(plan, tmp_path)
    events = list(read_events(the_journal(tmp_path)))
    first, *_ = walked(events).values()
    assert first.status in NOT_WORKING
    assert "engine-fault" in {event.code for event in events if isinstance(event, ev.Alert)}


# by a journal that cannot be written


class FullDisk(SqliteJournal):
    """A journal on a disk that is full after so many rows."""

    room = 0

    def append(self, events: Iterable[Event], *, durable: bool) -> None:
        batch = list(events)
        self.room -= len(batch)
        if self.room < 0:
            raise JournalError("cannot write journal: no space left on device")
        super().append(batch, durable=durable)


@pytest.mark.parametrize("room", [0, 1, 40])
def test_journal_that_fails_ends_the_session_with_what_was_written_whole(
    room: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FullDisk, "room", room)
    monkeypatch.setattr(sessions, "SqliteJournal", FullDisk)
    with pytest.raises(JournalError, match="no space left") as error:
        rehearse(a_plan(mock=MockPlan(ticks=5_000, days=20)), tmp_path)
    assert error.value.exit_code is ExitCode.FAILED
    journal = the_journal(tmp_path)
    assert integrity(journal) == ()
    assert len(list(read_events(journal))) <= room
    assert list((tmp_path / "reports").iterdir()) == []
