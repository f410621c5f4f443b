"""The report of a session: built from its events alone, always in the same bytes."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.app.metrics import EquityCurve, Exposure, metrics
from qbtrade.app.order_rows import OrderRows, Row
from qbtrade.app.round_trips import RoundTrips
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
    TickQuarantined,
)
from qbtrade.domain.message import Event
from qbtrade.errors import FileError, JournalError
from qbtrade.kernel.bus import Bus

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
    "quarantined": TickQuarantined,
}
_TIMING: Final = ("wall_seconds", "events", "events_per_second", "peak_memory_bytes")


def build(events: Iterable[Event]) -> Row:
    """The report of one session's events, oldest first. Raises: JournalError when the session's first row is missing."""
    bus = Bus()
    setting, books, orders, curve, exposure = Setting(bus), Books(bus), OrderRows(bus), EquityCurve(bus), Exposure(bus)
    trips = RoundTrips(bus, orders)
    seen: Counter[type[Event]] = Counter()
    end = 0
    for event in events:
        bus.publish(event)
        seen[event.__class__] += 1
        end = event.ts
    if setting.started is None:
        raise JournalError("the journal holds no session: SESSION_STARTED is missing")
    account = books.account()
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
        "equity_curve": [{"ts": iso_kst(ts), "equity": equity} for ts, equity in curve.points],
        "metrics": metrics(
            account["initial_cash"], account["equity"], curve, exposure, trips.closed, end, setting.ended
        ),
        "timing": _timing(setting.started, setting.ended),
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
    counted: Row = {name: seen[event_type] for name, event_type in _COUNTED.items()}
    counted |= {"round_trips": round_trips, "quarantined_by_reason": dict(sorted(setting.quarantined.items()))}
    said = setting.ended.counts if setting.ended else {}
    return counted | {name: said[name] for name in sorted(said.keys() - counted.keys())}


def _timing(started: SessionStarted, ended: SessionEnded | None) -> Row:
    measured = ended.timing if ended else {}
    return {"run_id": started.run_id, **{name: measured.get(name) for name in _TIMING}}


def encode(report: Row) -> bytes:
    """The report as its file holds it: two spaces of indentation, UTF-8, a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def check_writable(path: Path) -> None:
    """Find out before a run whether its report can be written. Raises: FileError."""
    _discard(_open_beside(path.resolve()))


def write(report: Row, path: Path) -> None:
    """Write it whole or not at all: beside its place first, then moved there. Raises: FileError."""
    place = path.resolve()
    handle, draft = beside = _open_beside(place)
    try:
        with open(handle, "wb", closefd=False) as file:  # noqa: PTH123 (an open file descriptor)
            file.write(encode(report))
        os.fsync(handle)
        draft.replace(place)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        _discard(beside)


def _open_beside(place: Path) -> tuple[int, Path]:
    if place.exists() and not place.is_file():
        raise FileError("cannot write the report to {path}: it is not a plain file", path=place)
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    except OSError as error:
        raise _unwritable(place, error) from error
    return handle, Path(draft)


def _discard(beside: tuple[int, Path]) -> None:
    handle, draft = beside
    os.close(handle)
    with suppress(OSError):
        draft.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> FileError:
    return FileError("cannot write the report to {path}: {cause}", path=path, cause=error.strerror or error)
