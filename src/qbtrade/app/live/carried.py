"""What earlier sessions of an account left: shares, cash, orders without an end, and the day's profit so far."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.adapters.store.sqlite import read_events
from qbtrade.app.home import journal_files, journals_dir
from qbtrade.app.live.orders_left import OrdersLeft
from qbtrade.domain import events as ev
from qbtrade.domain.calendar import kst_date
from qbtrade.domain.message import Event, EventType
from qbtrade.domain.order import Purpose, Side

E = EventType
REBASED: Final = "rebased"
TOLD: Final = "told-by-hand"
DECIDED: Final = frozenset({REBASED, TOLD})
"""Corrections of a book whose stock had another base price: by the broker's count of shares, or by a person."""


class Carried(msgspec.Struct):
    """The account as its last session knew it. Money in KRW.

    cash: None when there was no session. since: day of the last one. positions: shares and cost by symbol.
    profit: realized less costs of the day's earlier sessions. began: what the day's first session counts from, beyond
    cash and cost of shares, by symbol. entries: of the day; is_day_over: its loss reached
    the limit. foreign: shares of others when the last session began.
    numbers: the broker's, of all orders that it knew; answered: those that the broker itself named when it took the
    order. day_qty, day_amount: shares and KRW of the day's fills that are accounted for, day_bought: the part of that
    KRW that was paid for buys, -1 where that is not known. aside: KRW beyond cash, which no limit counts that day.
    run_id: of the last session. jumps: base prices that nobody has decided about, by symbol. last: prices, by symbol.
    """

    cash: int | None = None
    since: date | None = None
    positions: dict[str, tuple[int, int]] = {}
    leftovers: list[ev.Leftover] = []
    profit: int = 0
    began: dict[str, int] = {}
    entries: int = 0
    foreign: dict[str, int] = {}
    numbers: frozenset[str] = frozenset()
    answered: frozenset[str] = frozenset()
    day_qty: int = -1
    day_amount: int = 0
    day_bought: int = -1
    aside: int = 0
    is_day_over: bool = False
    run_id: str = ""
    jumps: dict[str, ev.Jump] = {}
    last: dict[str, int] = {}


Journal = Callable[[], Iterator[Event]]
"""Reads one journal from its beginning. Raises: FileError, JournalError."""


def journals(home: Path) -> Iterator[Journal]:
    """All journals, newest first."""
    for path in reversed(journal_files(home)):
        yield partial(read_events, path)


def carried(books: Iterable[Journal], account: str, today: date) -> Carried:
    """Read the journals of an account, newest first, back to the day before `today` (KST).

    Raises: FileError, JournalError for one that cannot be read: what it knows may not be left out.
    """
    found = Carried()
    for read in books:
        started = next(read(), None)
        if not isinstance(started, ev.SessionStarted) or started.account != account:
            continue
        day = kst_date(started.ts)
        if found.cash is None:
            found.since = day
            _take_last(found, started, read())
            if day == today:
                _add(found, started, read())
        if day != today:
            break
        found.began = {symbol: held.qty * held.last - held.cost for symbol, held in started.held.items()}
    return found


def account_in(home: Path, run_id: str) -> str:
    """Whose books a run kept, as its journal names them; "" without one. Raises: FileError, JournalError."""
    path = journals_dir(home) / f"{run_id}.sqlite3"
    started = next(read_events(path), None) if path.exists() else None
    return started.account if isinstance(started, ev.SessionStarted) else ""


def left_open(home: Path, run_id: str) -> list[ev.Leftover]:
    """Orders that the journal of a run does not end; none without such a journal. Raises: FileError, JournalError."""
    path, found = journals_dir(home) / f"{run_id}.sqlite3", Carried()
    started = next(read_events(path), None) if path.exists() else None
    if isinstance(started, ev.SessionStarted):
        _take_last(found, started, read_events(path))
    return found.leftovers


def _take_last(found: Carried, started: ev.SessionStarted, events: Iterator[Event]) -> None:
    """Shares, cash and orders without an end, as the newest journal leaves them."""
    found.cash, found.foreign, found.aside = started.cash, dict(started.foreign), started.aside
    found.day_qty, found.day_amount, found.run_id = started.day_qty, started.day_amount, started.run_id
    found.jumps, found.day_bought = dict(started.jumps), started.day_bought
    positions = {symbol: (held.qty, held.cost) for symbol, held in (started.held | started.elsewhere).items()}
    orders = OrdersLeft(started)
    for event in events:
        orders.read(event)
        match event:
            case ev.PositionChanged():
                positions[event.symbol], found.cash = (event.qty, event.cost), event.cash
            case ev.BookCorrected():
                _correct(found, positions, event)
            case ev.Alert(code="traded-elsewhere"):  # nobody said on which side that was
                found.day_bought = -1
            case ev.SessionEnded():
                found.last = event.last
            case _other:
                pass
    found.positions = {symbol: held for symbol, held in positions.items() if held[0]}
    found.leftovers, found.numbers, found.answered = orders.open(), orders.numbers(), frozenset(orders.answered)
    found.day_qty += orders.qty if found.day_qty >= 0 else 0
    found.day_amount += orders.amount
    found.day_bought += orders.bought if found.day_bought >= 0 else 0


def _correct(found: Carried, positions: dict[str, tuple[int, int]], event: ev.BookCorrected) -> None:
    found.cash, found.aside = event.cash, event.aside
    if event.symbol:
        positions[event.symbol], found.foreign[event.symbol] = (event.qty, event.cost), event.foreign
    if event.what in DECIDED:
        found.jumps.pop(event.symbol, None)


def _add(found: Carried, started: ev.SessionStarted, events: Iterator[Event]) -> None:
    """Count today up to the end of its newest session."""
    found.profit, found.entries, found.is_day_over = started.profit, started.entries, started.is_day_over
    adopted = {left.order_id for left in started.leftovers}
    for event in events:
        if isinstance(event, ev.PositionChanged):
            found.profit += event.realized - event.commission - event.tax
        elif isinstance(event, ev.BookCorrected):
            found.profit += event.realized
        elif isinstance(event, ev.Alert) and event.code == "daily-loss":
            found.is_day_over = True
        elif isinstance(event, ev.OrderApproved) and event.order.order_id not in adopted:
            is_entry = event.order.side is Side.BUY and event.order.purpose is Purpose.ENTRY
            found.entries += is_entry
