"""The whole story of one order: why it was wanted, what risk said, what became of it."""

from pathlib import Path

import msgspec

from qbtrade.adapters.store.sqlite import read_events
from qbtrade.app.order_rows import OrderRows, Row
from qbtrade.app.session_rows import correction_row
from qbtrade.domain.calendar import iso_kst
from qbtrade.domain.events import BookCorrected, Check, OrderApproved, OrderDenied, Signal, SubmitOrder
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderRequest, Side
from qbtrade.errors import FileError
from qbtrade.kernel.bus import Bus


def story(journal: Path, order_id: str) -> Row:
    """Everything the journal knows of an order. Raises: FileError when it knows nothing."""
    own = list(read_events(journal, order_id=order_id))
    if not own or not isinstance(own[0], SubmitOrder):
        raise FileError(
            "no order {name!r} in session {run_id}", name=order_id, run_id=journal.stem,
            hint="See qb report --events SUBMIT_ORDER",
        )  # fmt: skip
    bus = Bus()
    rows, wanted, corrections = OrderRows(bus), _Wanted(bus), list[Row]()
    bus.subscribe(BookCorrected, lambda event: corrections.append(correction_row(event)))
    for event in read_events(journal, symbol=own[0].order.symbol):
        bus.publish(event)
    chain = _chain(rows.orders, order_id)
    return {
        "run_id": journal.stem,
        "order": rows.orders[order_id],
        "signal": wanted.signals.get(chain[0]),
        "checks": [msgspec.structs.asdict(check) for check in _checks(own)],
        "chain": [rows.orders[each] for each in chain] if len(chain) > 1 else [],
        "fills": [fill for fill in rows.fills if fill["order_id"] == order_id],
        "steps": [_step(event) for event in own],
        "corrections": corrections,
    }


class _Wanted:
    """Which signal each order came from: the last one on its symbol and side in the same words."""

    def __init__(self, bus: Bus) -> None:
        self.signals: dict[str, Row] = {}
        self._last: dict[tuple[Side, str], Signal] = {}
        bus.subscribe(Signal, self._on_signal)
        bus.subscribe(SubmitOrder, self._on_submit)

    def _on_signal(self, event: Signal) -> None:
        self._last[event.side, event.reason] = event

    def _on_submit(self, event: SubmitOrder) -> None:
        signal = self._last.get((event.order.side, event.order.signal))
        if signal is not None:
            self.signals[event.order.order_id] = {
                "ts": iso_kst(signal.ts),
                "side": signal.side.value,
                "reason": signal.reason,
                "values": signal.values,
            }


def _chain(orders: dict[str, Row], order_id: str) -> list[str]:
    """The orders that replaced one another, first to last, with this one among them."""
    replaced_by = {row["repriced_from"]: each for each, row in orders.items() if row["repriced_from"]}
    chain = [order_id]
    while (before := orders[chain[0]]["repriced_from"]) in orders:
        chain.insert(0, before)
    while (after := replaced_by.get(chain[-1])) is not None:
        chain.append(after)
    return chain


def _checks(own: list[Event]) -> tuple[Check, ...]:
    verdicts = [event for event in own if isinstance(event, OrderApproved | OrderDenied)]
    return verdicts[0].checks if verdicts else ()


def _step(event: Event) -> Row:
    """One event in its own words, without what the rest of the story says already."""
    step: Row = {"ts": iso_kst(event.ts), "type": event.__struct_config__.tag}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name not in {"ts", "order_id", "symbol", "checks"} and not isinstance(value, OrderRequest):
            step[name] = msgspec.to_builtins(value)
    return step
