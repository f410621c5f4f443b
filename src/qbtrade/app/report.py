"""The report of a session: built from its events alone, always in the same bytes."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.adapters.store.sqlite import read_events
from qbtrade.adapters.store.verify import head
from qbtrade.app.files import check_writable, write_whole
from qbtrade.app.metrics import EquityCurve, Exposure, break_even, metrics
from qbtrade.app.order_rows import OrderRows, Row
from qbtrade.app.round_trips import RoundTrips
from qbtrade.app.session_rows import Books, Setting
from qbtrade.domain.calendar import iso_kst
from qbtrade.domain.events import (
    Alert,
    OrderAbandoned,
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderNotSent,
    OrderRejected,
    OrderUnconfirmed,
    SessionEnded,
    SessionStarted,
    Signal,
    StrategyFailed,
    SubmitOrder,
)
from qbtrade.domain.message import Event
from qbtrade.errors import JournalError
from qbtrade.kernel.bus import Bus

__all__ = ["SCHEMA_VERSION", "UNFINISHED", "build", "check_writable", "encode", "made_from", "write", "write_whole"]

SCHEMA_VERSION: Final = 1
"""Of the report; its JSON Schema is data/report.schema.json."""
UNFINISHED: Final = "UNFINISHED"
"""Outcome of a session that never wrote its end."""

_COUNTED: Final[dict[str, type[Event]]] = {
    "signals": Signal,
    "orders": SubmitOrder,
    "approved": OrderApproved,
    "denied": OrderDenied,
    "accepted": OrderAccepted,
    "rejected": OrderRejected,
    "not_sent": OrderNotSent,
    "unconfirmed": OrderUnconfirmed,
    "abandoned": OrderAbandoned,
    "fills": OrderFilled,
    "canceled": OrderCanceled,
    "expired": OrderExpired,
    "alerts": Alert,
    "strategy_failures": StrategyFailed,
}
_SET_ASIDE: Final = "quarantined "
"""How SESSION_ENDED begins the names of its counts of ticks set aside; the reason follows."""
_TIMING: Final = ("wall_seconds", "events", "events_per_second", "peak_memory_bytes")


def made_from(journal: Path) -> Row:
    """The report of a journal. Raises: FileError, JournalError."""
    return build(read_events(journal), head(journal))


def build(events: Iterable[Event], journal_hash: str = "") -> Row:
    """The report of one session's events, oldest first. journal_hash: of the journal's last row, where rows have one.

    Raises: JournalError when SESSION_STARTED is not among them.
    """
    bus = Bus()
    setting, books, orders, curve, exposure = Setting(bus), Books(bus), OrderRows(bus), EquityCurve(bus), Exposure(bus)
    trips = RoundTrips(bus, orders)
    seen: Counter[type[Event]] = Counter()
    end = 0  # not simply the last row's: the last equity mark may be written late
    for event in events:
        bus.publish(event)
        seen[event.__class__] += 1
        end = max(end, event.ts)
    if setting.started is None:
        raise JournalError("the journal holds no session: SESSION_STARTED is missing")
    account, ended = books.account(), setting.ended
    return {
        "schema_version": SCHEMA_VERSION,
        "session": _session(setting, setting.started, end),
        "limits": setting.started.limits,
        "counts": _counts(seen, len(trips.closed), setting),
        "account": account,
        "orders": list(orders.orders.values()),
        "fills": orders.fills,
        "round_trips": [trip.row() for trip in trips.closed],
        "denials": orders.denials,
        "alerts": setting.alerts,
        "corrections": setting.corrections,
        "equity_curve": [{"ts": iso_kst(ts), "equity": equity} for ts, equity in curve.points],
        "metrics": {
            **metrics(
                curve, exposure, trips.closed, initial=books.worth + books.corrected, equity=account["equity"], end=end
            ),
            "break_even": break_even(ended.last, ended.terms) if ended else [],
        },
        "timing": _timing(setting.started, setting.ended, journal_hash),
    }


def _session(setting: Setting, started: SessionStarted, end: int) -> Row:
    ended = setting.ended
    return {
        "id": started.session_id,
        "mode": started.mode,
        "symbols": list(started.symbols),
        "strategy": started.strategy,
        "parameters": started.parameters,
        "seed": started.seed,
        "source": started.source,
        "interval": started.interval,
        "start": iso_kst(started.ts),
        "end": iso_kst(end),
        "version": started.version,
        "outcome": ended.outcome.value if ended else UNFINISHED,
        "reason": ended.reason if ended else "",
        "assumptions": started.assumptions,
        "risk_changes": setting.risk_changes,
        "halts": setting.halts,
        "strategy_failures": setting.failures,
    }


def _counts(seen: Counter[type[Event]], round_trips: int, setting: Setting) -> Row:
    """What the journal holds, then what the session counted without writing it down."""
    said = setting.ended.counts if setting.ended else {}
    by_reason = {name.removeprefix(_SET_ASIDE): count for name, count in said.items() if name.startswith(_SET_ASIDE)}
    by_reason = by_reason or setting.quarantined  # an unfinished session has counted nothing
    counted: Row = {
        **{name: seen[event_type] for name, event_type in _COUNTED.items()},
        "round_trips": round_trips,
        "quarantined": sum(by_reason.values()),
        "quarantined_by_reason": dict(sorted(by_reason.items())),
    }
    return counted | {
        name: said[name] for name in sorted(said) if name not in counted and not name.startswith(_SET_ASIDE)
    }


def _timing(started: SessionStarted, ended: SessionEnded | None, journal_hash: str) -> Row:
    measured = {**ended.timing} if ended else {}
    taken = {name: measured.get(name) for name in _TIMING}
    return {"run_id": started.run_id, "journal_hash": journal_hash or None, **taken}


def encode(report: Row) -> bytes:
    """The report as its file holds it: two spaces of indentation, UTF-8, a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def write(report: Row, path: Path) -> None:
    """Write it whole or not at all. Raises: FileError."""
    write_whole(path, encode(report))
