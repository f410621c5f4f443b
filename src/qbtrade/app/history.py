"""Figures over many sessions, by month, day, session, symbol or strategy; each environment for itself."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

from qbtrade.adapters.store.runs import Run
from qbtrade.app.session_rows import Books
from qbtrade.domain.calendar import iso_kst
from qbtrade.domain.events import BookCorrected, EquityMarked, OrderDenied, PositionChanged
from qbtrade.domain.message import Event
from qbtrade.domain.money import PPB
from qbtrade.domain.order import Side
from qbtrade.kernel.bus import Bus

ENVIRONMENTS: Final = ("real", "paper", "dry-run", "emulator", "simulation")
"""Modes of a session, those that matter most first."""
_TOTAL: Final = ""


class By(StrEnum):
    """What a row stands for."""

    MONTH = "month"
    DAY = "day"
    SESSION = "session"
    SYMBOL = "symbol"
    STRATEGY = "strategy"


class Figures(msgspec.Struct):
    """One row. key: of the group, "" for the whole environment. Money in KRW.

    sessions: runs of which anything falls into it; unfinished: those that wrote no end. trades: positions that went
    back to nothing; wins: those that brought something after costs. realized: gross. drawdown: deepest fall of the
    marked equity below its peak, leaving out what others took or brought; of a symbol, of its realized net profit.
    """

    environment: str
    key: str
    sessions: int = 0
    unfinished: int = 0
    fills: int = 0
    trades: int = 0
    wins: int = 0
    realized: int = 0
    commission: int = 0
    tax: int = 0
    drawdown: int = 0
    denials: int = 0

    @property
    def net(self) -> int:
        """Realized profit after commission and tax."""
        return self.realized - self.commission - self.tax

    @property
    def win_rate_ppb(self) -> int | None:
        """Share of the trades that won."""
        return self.wins * PPB // self.trades if self.trades else None


class _Group(msgspec.Struct):
    """A row in the making. level, peak: of its profit so far. run_id: of the last run that it counted."""

    row: Figures
    level: int = 0
    peak: int = 0
    run_id: str = ""

    def move(self, change: int) -> None:
        self.level += change
        self.peak = max(self.peak, self.level)
        self.row.drawdown = max(self.row.drawdown, self.peak - self.level)


class _Profit:
    """What a run has made so far, as its equity was marked. Gives by how much each mark moved it."""

    def __init__(self, run: Run) -> None:
        bus = Bus()
        self._books, self._bus, self._worth, self._latest = Books(bus), bus, run.worth, 0
        bus.publish(run.started)

    def take(self, event: Event) -> int:
        match event:
            case EquityMarked():
                before, self._latest = self._latest, event.equity - self._worth - self._books.corrected
                return self._latest - before
            case PositionChanged() | BookCorrected():
                self._bus.publish(event)
            case _:
                pass
        return 0


class _Trades:
    """Cuts the fills of each position where it returns to nothing, over the nights that it is held."""

    def __init__(self) -> None:
        self._net: dict[tuple[str, str], int] = {}

    def take(self, books: str, fill: PositionChanged) -> int | None:
        """Net profit of the trade that this fill ends; None when it ends none."""
        key = books, fill.symbol
        is_first = fill.side is Side.BUY and fill.qty == fill.fill_qty  # what was there went by a correction
        net = (0 if is_first else self._net.get(key, 0)) + fill.realized - fill.commission - fill.tax
        self._net[key] = net
        return self._net.pop(key) if fill.side is Side.SELL and not fill.qty else None


class History:
    """Sums up runs, oldest first. Only what falls into [start, end), UTC ns of market time, counts."""

    def __init__(self, by: By, start: int, end: int) -> None:
        self._by, self._start, self._end = by, start, end
        self._groups: dict[tuple[str, str], _Group] = {}
        self._trades = _Trades()

    def add(self, run: Run) -> None:
        """Take one run in."""
        started, profit = run.started, _Profit(run)
        books = f"{started.mode} {started.account}" if started.account else started.run_id
        if self._start <= started.ts < self._end:
            for symbol in started.symbols:
                list(self._touched(run, started.ts, symbol))
        for event in run.events:
            change = profit.take(event)
            net = self._trades.take(books, event) if isinstance(event, PositionChanged) else None
            if self._start <= event.ts < self._end:
                for group in self._touched(run, event.ts, getattr(event, "symbol", "")):
                    self._count(group, event, change, net)

    def environments(self) -> dict[str, int]:
        """How many sessions each environment has, those that matter most first."""
        total = {env: group.row.sessions for (env, key), group in self._groups.items() if key == _TOTAL}
        order = [*ENVIRONMENTS, *sorted(total.keys() - set(ENVIRONMENTS))]
        return {env: total[env] for env in order if env in total}

    def rows(self, environment: str) -> list[Figures]:
        """One for each group, in order, and the whole environment as the last."""
        found = [group.row for (env, _key), group in self._groups.items() if env == environment]
        return sorted(found, key=lambda row: (row.key == _TOTAL, row.key))

    def _count(self, group: _Group, event: Event, change: int, net: int | None) -> None:
        row = group.row
        match event:
            case PositionChanged():
                row.fills += 1
                row.realized += event.realized
                row.commission += event.commission
                row.tax += event.tax
                row.trades += net is not None
                row.wins += net is not None and net > 0
                if self._by is By.SYMBOL and row.key != _TOTAL:
                    group.move(event.realized - event.commission - event.tax)
            case OrderDenied():
                row.denials += 1
            case EquityMarked():
                group.move(change)
            case _:
                pass

    def _touched(self, run: Run, ts: int, symbol: str) -> Iterator[_Group]:
        """The groups that something of a run falls into: its own, where it has one, and the total."""
        env, run_id = run.started.mode, run.started.run_id
        key = self._key(run, ts, symbol)
        for name in (key, _TOTAL) if key else (_TOTAL,):
            group = self._groups.setdefault((env, name), _Group(Figures(env, name)))
            if group.run_id != run_id:
                group.run_id = run_id
                group.row.sessions += 1
                group.row.unfinished += not run.is_finished
            yield group

    def _key(self, run: Run, ts: int, symbol: str) -> str:
        match self._by:
            case By.MONTH:
                return iso_kst(ts)[:7]
            case By.DAY:
                return iso_kst(ts)[:10]
            case By.SESSION:
                return run.started.run_id
            case By.SYMBOL:
                return symbol
            case By.STRATEGY:
                return run.started.strategy
