from collections.abc import Iterator

import pytest

from qbtrade.adapters.emulator.orders import Entry, Ticket
from qbtrade.app.chaos.audit import audited
from qbtrade.app.chaos.disk import VirtualJournal
from qbtrade.app.chaos.fills import Fills
from qbtrade.app.chaos.market import DAY
from qbtrade.domain import events as ev
from qbtrade.domain.calendar import NS
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderRequest, Purpose, Side
from tests.builders import SAMSUNG, an_order

SECOND = 1_000
"""Of market time, at which a first order leaves."""


def let_out(order: OrderRequest, second: int, *checks: ev.Check) -> Iterator[Event]:
    yield ev.SubmitOrder(second * NS, order)
    yield ev.OrderApproved(second * NS, order, checks)
    yield ev.OrderSending(second * NS, order)


def lost(order_id: str = "Q1") -> list[Event]:
    """A buy whose answer never came."""
    return [*let_out(an_order(order_id), SECOND), ev.OrderUnconfirmed(SECOND * NS, order_id, "timeout")]


def found(*rows: Event, entries: tuple[Entry, ...] = ()) -> list[str]:
    return list(audited([rows], entries))


def at_kis(second: int, order: OrderRequest) -> Entry:
    ticket = Ticket(order.symbol, order.side, "00", order.qty, order.price)
    return Entry(1001, ticket, second * NS, DAY, order.price)


def test_an_order_beside_one_without_an_answer_is_seen() -> None:
    exit_order, protective = (an_order("Q2", purpose=purpose) for purpose in (Purpose.EXIT, Purpose.PROTECT))
    assert found(*lost(), *let_out(exit_order, SECOND + 1)) == [
        f"BUY {SAMSUNG} was let out beside an order whose fate was unknown"
    ]
    assert found(*lost(), *let_out(protective, SECOND + 1)) == []


def test_a_gate_that_forgets_open_buys_is_seen() -> None:
    budget = ev.Check("budget", 10**6, 75_000, 0, "KRW", passed=True)
    assert any("at work" in said for said in found(*lost(), *let_out(an_order("Q2", qty=1), SECOND + 1, budget)))


def test_a_protective_sell_that_a_limit_holds_back_is_seen() -> None:
    order = an_order("Q1", side=Side.SELL, purpose=Purpose.PROTECT)
    wish = ev.SubmitOrder(SECOND * NS, order)
    seen = {
        reason: found(wish, ev.OrderDenied(SECOND * NS, "Q1", SAMSUNG, reason, ()))
        for reason in ("order-rate", "market-phase")
    }
    assert seen == {"order-rate": ["a protective sell was held back: order-rate"], "market-phase": []}


@pytest.mark.parametrize(("again", "said"), [(30, 0), (50, 1)])
def test_a_cancel_that_is_not_asked_for_again_is_seen(again: int, said: int) -> None:
    rows = (
        *let_out(an_order("Q1"), SECOND), ev.OrderAccepted(SECOND * NS, "Q1", "1001"),
        ev.CancelRejected(SECOND * NS, "Q1", "no"), ev.OrderCanceling((SECOND + again) * NS, "Q1", "lifetime"),
        ev.OrderCanceled((SECOND + again + 1) * NS, "Q1", 1, "asked"),
    )  # fmt: skip
    assert len(found(*rows)) == said
    assert not found(*rows[:-1])  # the last moment of a killed process may be the one in which its machine wakes


@pytest.mark.parametrize(("after", "said"), [(59, 1), (61, 0)])
def test_an_order_that_is_given_up_too_early_is_seen(after: int, said: int) -> None:
    assert len(found(*lost(), ev.OrderAbandoned((SECOND + after) * NS, "Q1", "no trace"))) == said


@pytest.mark.parametrize(("arrived", "said"), [(10, 1), (80, 0)])
def test_an_order_that_is_given_up_although_kis_had_it_is_seen(arrived: int, said: int) -> None:
    entry = at_kis(SECOND + arrived, an_order("Q1"))
    rows = (*lost(), ev.OrderAbandoned((SECOND + 90) * NS, "Q1", "no trace"))
    assert len(found(*rows, entries=(entry,))) == said


@pytest.mark.parametrize(("settled", "said"), [((), 1), (("1001",), 0)])
def test_what_a_start_has_counted_as_an_order_of_before_is_no_overlooked_twin(
    settled: tuple[str, ...], said: int
) -> None:
    order, entry = an_order("L1"), at_kis(SECOND + 10, an_order("Q1"))
    started = ev.SessionStarted(
        ts=(SECOND + 20) * NS, session_id="s", run_id="0001", version="0", mode="real", symbols=(SAMSUNG,),
        strategy="x", parameters={}, seed=0, source="", interval=1, limits={}, cash=0, settled=settled,
        leftovers=(ev.Leftover("L1", order, SECOND * NS),),
    )  # fmt: skip
    rows = (started, ev.OrderSending(started.ts, order), ev.OrderAbandoned((SECOND + 90) * NS, "L1", "no trace"))
    assert len(found(*rows, entries=(entry,))) == said


@pytest.mark.parametrize(("after", "said"), [(1, 1), (16, 0)])
def test_a_session_that_ends_without_waiting_for_its_cancels_is_seen(after: int, said: int) -> None:
    rows = (
        *let_out(an_order("Q1"), SECOND), ev.OrderAccepted(SECOND * NS, "Q1", "1001"),
        ev.CancelOrder((SECOND + 9) * NS, "Q1", "session-stopped"),
        ev.SessionEnded((SECOND + 9 + after) * NS, ev.Outcome.DONE, "", {}, {}, {}),
    )  # fmt: skip
    assert len(found(*rows)) == said


def test_an_order_of_others_that_is_taken_for_ours_is_seen() -> None:
    entry = at_kis(SECOND + 10, an_order("Q1"))
    rows = (*lost(), ev.OrderAccepted((SECOND + 12) * NS, "Q1", str(entry.number)))
    assert found(*rows, entries=(entry,)) == []
    assert list(audited([rows], [entry], foreign={entry.number})) == ["orders of others were taken for ours: 1001"]


def test_an_order_that_a_person_said_not_to_exist_counts_no_more_until_it_turns_up() -> None:
    budget = ev.Check("budget", 10**6, 75_000, 0, "KRW", passed=True)
    gone = ev.OrderResolved((SECOND + 61) * NS, "Q1", "", "seen in the app", "no such order")
    rows = (*lost(), ev.OrderAbandoned((SECOND + 61) * NS, "Q1", "no trace"), gone)
    later = (SECOND + 99) * NS
    assert found(*rows, *let_out(an_order("Q2", qty=1), SECOND + 100, budget)) == []
    came = ev.OrderAccepted(later, "Q1", "1001")
    assert found(*rows, came, *let_out(an_order("Q2", qty=1), SECOND + 100, budget)) != []


@pytest.mark.parametrize(("filled", "said"), [(3, 0), (2, 1)])
def test_a_fill_that_kis_has_not_made_is_seen(filled: int, said: int) -> None:
    entry, journal = at_kis(SECOND, an_order("Q1")), VirtualJournal("j", lambda _point: None)
    entry.filled = filled
    fills = Fills(lambda: [entry])
    journal.append([ev.OrderAccepted(SECOND * NS, "Q1", "1001")], durable=False)
    assert not list(fills.invented(journal))
    journal.append([ev.OrderFilled(SECOND * NS, "Q1", SAMSUNG, Side.BUY, 75_000, 3)], durable=False)
    assert len(list(fills.invented(journal))) == said
