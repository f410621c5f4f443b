"""What one session heard, read back from its recording in the order in which its kernel took it up."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from qbtrade.adapters.recordings.finished import SETTINGS, literal, unreadable
from qbtrade.adapters.recordings.layout import Kind, SymbolDay
from qbtrade.app.live.recording import Beginning
from qbtrade.domain.events import FeedLost, FeedRestored, SymbolHalted, SymbolResumed
from qbtrade.domain.market import Bar, Quote, Trade
from qbtrade.domain.message import Event
from qbtrade.engines.market_data import PRICE_BASE_CHANGED
from qbtrade.errors import FileError, NoRowsError

BATCH: Final = 2048
GAPS: Final = (Kind.LOST, Kind.DROPPED, Kind.TORN)
"""What tells that something was not heard, or not kept."""
_ROW: Final = (
    "kind, received, ts, symbol, price, qty, side, volume, auction, bid, bid_qty, ask, ask_qty, begins, opened,"
    " highest, lowest, note"
)


class Hole(msgspec.Struct, frozen=True):
    """Where the recording lacks something, or the stream did. at: UTC ns; kind: of the row that says so."""

    at: int
    symbol: str
    kind: Kind


class Tape:
    """The recording of one run.

    beginnings: by symbol. past: bars of before it. bars: those that it folded itself. is_whole: it has its end. last:
    UTC ns up to which it goes. Raises: NoRowsError when it recorded nothing; FileError for a file that is damaged.
    """

    def __init__(self, days: Iterable[SymbolDay], run_id: str) -> None:
        import duckdb

        self._days, self._connection = tuple(days), duckdb.connect(config=SETTINGS)
        self._spans = {day: self._span(day, run_id) for day in self._days}
        self.beginnings = {day.symbol: self._beginning(day) for day in self._days}
        bars = [(Kind(row[0]), _bar(row)) for row in self._rows(Kind.PAST, Kind.FOLDED)]
        self.past = tuple(bar for kind, bar in bars if kind is Kind.PAST)
        self.bars = {(bar.symbol, bar.start): bar for kind, bar in bars if kind is Kind.FOLDED}
        self.holes = tuple(Hole(row[1], row[3], Kind(row[0])) for row in self._rows(*GAPS))
        self.is_whole = sum(1 for _ in self._rows(Kind.END)) == len(self._days)
        self.last = max(row[1] for row in self._rows(*Kind))

    def events(self) -> Iterator[tuple[int, Event]]:
        """When each was taken up, UTC ns, and what it was; bars also where the session folded them. Reads each time."""
        first = self._days[0].symbol
        for row in self._rows(*_READ):
            kind = Kind(row[0])
            of_all = kind in {Kind.LOST, Kind.RESTORED}  # it stands in the file of each symbol
            event = None if of_all and row[3] != first else _READ[kind](row)
            if event is not None:
                yield row[1], event

    def _rows(self, *kinds: Kind) -> Iterator[Any]:
        wanted = ", ".join(f"'{kind}'" for kind in kinds)
        parts = " UNION ALL ".join(
            f"SELECT {_ROW}, seq FROM read_parquet({literal(day.parquet)})"
            f" WHERE seq BETWEEN {first} AND {last} AND kind IN ({wanted})"
            for day, (first, last) in self._spans.items()
        )
        cursor = self._run(self._days[0].parquet, f"SELECT {_ROW} FROM ({parts}) ORDER BY received, symbol, seq")
        while rows := cursor.fetchmany(BATCH):
            yield from rows

    def _span(self, day: SymbolDay, run_id: str) -> tuple[int, int]:
        """The numbers of the first and last row of the run: another session of the day may have gone before or on."""
        marks = self._run(
            day.parquet,
            f"SELECT seq, note FROM read_parquet({literal(day.parquet)}) WHERE kind = 'begin' ORDER BY seq",
        ).fetchall()
        mine = [at for at, (_seq, note) in enumerate(marks) if _read_note(note).run == run_id]
        if not mine:
            raise NoRowsError(
                "session {run_id} recorded nothing of {symbol}", run_id=run_id, symbol=day.symbol,
                hint="live.record has to be on while it trades, and no other process may record the symbol",
            )  # fmt: skip
        following = marks[mine[-1] + 1 :]
        return marks[mine[0]][0], following[0][0] - 1 if following else 2**62

    def _beginning(self, day: SymbolDay) -> Beginning:
        first, _last = self._spans[day]
        row = self._run(
            day.parquet, f"SELECT note FROM read_parquet({literal(day.parquet)}) WHERE seq = {first}"
        ).fetchone()
        return _read_note(row[0] if row else "")

    def _run(self, path: Path, sql: str) -> Any:
        import duckdb

        try:
            return self._connection.cursor().execute(sql)
        except duckdb.Error as error:
            raise unreadable(path, error) from error


def _read_note(note: str) -> Beginning:
    try:
        return msgspec.json.decode(note, type=Beginning)
    except (msgspec.DecodeError, TypeError) as error:
        raise FileError("a row of the recording cannot be read: {note}", note=note) from error


def _trade(row: Any) -> Trade:
    _kind, _received, ts, symbol, price, qty, side, volume, auction, *_rest = row
    return Trade(ts, symbol, price, qty, bool(auction), side or "", volume or 0)


def _quote(row: Any) -> Quote:
    return Quote(row[2], row[3], row[9], row[10], row[11], row[12])


def _bar(row: Any) -> Bar:
    return Bar(
        row[2], row[3], row[13], row[14], row[15], row[16], row[4], row[5], told=row[0] == Kind.BAR
    )  # fmt: skip


def _halted(row: Any) -> SymbolHalted | None:
    reason, _colon, detail = row[17].partition(": ")
    return None if reason == PRICE_BASE_CHANGED else SymbolHalted(row[2], row[3], reason, detail)


_READ: Final[dict[Kind, Callable[[Any], Event | None]]] = {
    Kind.TRADE: _trade,
    Kind.PRICE: _trade,
    Kind.QUOTE: _quote,
    Kind.BAR: _bar,
    Kind.FOLDED: _bar,
    Kind.HALTED: _halted,
    Kind.RESUMED: lambda row: SymbolResumed(row[2], row[3], row[17] or ""),
    Kind.LOST: lambda row: FeedLost(row[2], row[17] or ""),
    Kind.RESTORED: lambda row: FeedRestored(row[2], int(row[17] or 0)),
}
