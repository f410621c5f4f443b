"""Rehearsals from plan to report, in this process, and what they left behind."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from qbtrade.adapters.store.sqlite import read_events
from qbtrade.app.home import journals_dir
from qbtrade.app.plan import Limits, MockPlan, SimulationPlan, VenuePlan
from qbtrade.app.session import SessionResult, simulate
from qbtrade.app.status import NoScreen, Screen
from qbtrade.domain import events as ev
from qbtrade.domain.message import Event
from qbtrade.domain.order import Order, OrderStatus
from qbtrade.kernel.loop import StopRequest

SMALL = MockPlan(ticks=2_000)
USUAL = Limits()
REFUSING = VenuePlan(reject_rate=50_000_000)
"""5 %, as the command line assumes for the made market."""


def a_plan(
    *,
    mock: MockPlan = SMALL,
    limits: Limits = USUAL,
    venue: VenuePlan = REFUSING,
    **changes: object,
) -> SimulationPlan:
    """A made day of 2,000 trades on an exchange that refuses one order in twenty."""
    return msgspec.structs.replace(SimulationPlan(mock=mock, limits=limits, venue=venue), **changes)


def rehearse(
    plan: SimulationPlan, home: Path, screen: Screen | None = None, stop: StopRequest | None = None
) -> SessionResult:
    """Play it; by default nobody watches and nobody stops it."""
    return simulate(plan, home, screen or NoScreen(), stop or StopRequest())


def the_journal(home: Path) -> Path:
    """The only one there is."""
    (path,) = journals_dir(home).glob("*.sqlite3")
    return path


def rows(home: Path, result: SessionResult) -> list[Event]:
    """Everything that a rehearsal wrote down."""
    return list(read_events(journals_dir(home) / f"{result.run_id}.sqlite3"))


def without_timing(result: SessionResult) -> dict[str, object]:
    """The report without what may differ between two runs."""
    return {name: part for name, part in result.report.items() if name != "timing"}


def walked(events: list[Event]) -> dict[str, Order]:
    """Every order, moved by the rows of a journal. Raises: IllegalMoveError where a row is no legal move."""
    orders: dict[str, Order] = {}
    for event in events:
        if isinstance(event, ev.SubmitOrder):
            assert event.order.order_id not in orders
            orders[event.order.order_id] = Order(event.order, event.ts)
        elif isinstance(event, ev.OrderFilled):
            orders[event.order_id].fill(event.price, event.qty)
        elif isinstance(event, ev.CancelRejected):
            _cancel_refused(orders[event.order_id])
        elif type(event) in _MOVES:
            status, order_id = _MOVES[type(event)]
            orders[order_id(event)].move(status)
    return orders


def _cancel_refused(order: Order) -> None:
    if order.status is OrderStatus.CANCELING:
        order.move(OrderStatus.PARTLY_FILLED if order.filled_qty else OrderStatus.WORKING)


def _of_request(event: Event) -> str:
    assert isinstance(event, ev.OrderApproved | ev.OrderSending)
    return event.order.order_id


def _of_answer(event: Event) -> str:
    order_id: str = event.order_id  # type: ignore[attr-defined]
    return order_id


_MOVES: dict[type[Event], tuple[OrderStatus, Callable[[Event], str]]] = {
    ev.OrderApproved: (OrderStatus.APPROVED, _of_request),
    ev.OrderSending: (OrderStatus.SENDING, _of_request),
    ev.OrderDenied: (OrderStatus.DENIED, _of_answer),
    ev.OrderAccepted: (OrderStatus.WORKING, _of_answer),
    ev.OrderRejected: (OrderStatus.REJECTED, _of_answer),
    ev.OrderCanceling: (OrderStatus.CANCELING, _of_answer),
    ev.OrderCanceled: (OrderStatus.CANCELED, _of_answer),
    ev.OrderExpired: (OrderStatus.EXPIRED, _of_answer),
}
