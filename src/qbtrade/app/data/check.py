"""Checks all that is stored: each file by itself, each series as a whole, and the series beside each other."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import groupby

from qbtrade.adapters.market_store import files
from qbtrade.adapters.market_store.files import Described
from qbtrade.adapters.market_store.layout import DAILY, RECORDED, Basis
from qbtrade.app.data.beside import beside_daily
from qbtrade.app.data.finding import Finding, Row, Series, amiss, noted
from qbtrade.app.data.holes import Checked, together
from qbtrade.app.data.listing import basis_of
from qbtrade.app.data.series import check_series
from qbtrade.app.data.stored import Stored
from qbtrade.app.rules import instrument_for
from qbtrade.app.units import duration
from qbtrade.domain.calendar import kst_date
from qbtrade.domain.instrument import Instrument
from qbtrade.domain.rules import Rules
from qbtrade.errors import FileError, UsageError


class Check:
    """One check. until: UTC ns; nothing is missing after it. market, kind: said by the user for unknown symbols."""

    def __init__(self, stored: Stored, rules: Rules, until: int, *, market: str = "", kind: str = "") -> None:
        self._stored, self._rules, self._until = stored, rules, until
        self._market, self._kind = market, kind

    def run(
        self, kind: str = "", symbols: Sequence[str] = (), on_series: Callable[[str, str], None] = lambda *_: None
    ) -> tuple[list[Finding], int]:
        """What was found, and how many series were looked at. kind: "" for all; symbols: none for all."""
        checked: list[Checked] = []
        described = files.describe(self._stored.connection, self._stored.sheets(kind))
        for (sort, symbol), group in groupby(described, key=lambda each: (each.sheet.sort, each.sheet.symbol)):
            if not symbols or symbol in symbols:
                on_series(sort, symbol)
                checked.append(self._series(sort, symbol, list(group)))
        return [*together(checked), *beside_daily(checked)], len(checked)

    def _series(self, kind: str, symbol: str, group: Sequence[Described]) -> Checked:
        interval = 0 if group[0].sheet.has_trades else duration(kind, kind)
        series = Series(symbol, kind, interval, self._instrument(symbol), basis_of(group))
        faults: list[Finding] = []
        days = self._days(series, group, faults)
        quiet = self._quiet(symbol) if kind != DAILY else frozenset[date]()
        running = {each.sheet.day for each in group if each.sheet.day and not each.about.is_whole}
        checked = check_series(series, days, self._rules, until=self._until, quiet=quiet, running=running)
        checked.findings[:0] = [*self._notes(series, group), *faults]
        return checked

    def _days(
        self, series: Series, group: Sequence[Described], faults: list[Finding]
    ) -> Iterator[tuple[date, Iterator[Row]]]:
        """The rows of each day. faults: takes what is wrong with whole files."""
        for each in group:
            sheet = each.sheet
            try:
                found = list(self._whole_file(series, each))
                faults += found
                rows = [] if any(fault.is_wrong for fault in found) else self._stored.rows(sheet)
            except FileError as error:
                faults.append(amiss(error.message, "unreadable", series, self._day_of(each)))
                continue
            if sheet.day is not None:
                yield sheet.day, map(_row, rows)
                continue
            rows.sort(key=lambda row: row[0])
            yield from ((day, map(_row, mine)) for day, mine in groupby(rows, key=lambda row: kst_date(row[0])))

    def _whole_file(self, series: Series, each: Described) -> Iterator[Finding]:
        """What is wrong with a file as a whole. Raises: FileError."""
        sheet, day = each.sheet, self._day_of(each)
        foreign = self._count(each, files.scan(sheet), f"symbol IS DISTINCT FROM {files.text_sql(sheet.symbol)}")
        if foreign:
            yield amiss(f"{foreign} rows of another symbol", "foreign", series, day, count=foreign)
        marks = "kind IN ('lost', 'dropped', 'torn')"
        count = self._count(each, files.whole(sheet), marks) if sheet.kind == RECORDED else 0
        if count:
            text = f"the stream or the recorder was away {count} times"
            yield noted(text, "away", series, day, count=count)

    def _count(self, each: Described, rows: str, condition: str) -> int:
        sql = f"SELECT count(*) FROM {rows} WHERE {condition}"  # noqa: S608 (names and quoted texts)
        return int(files.ask(self._stored.connection, each.sheet, sql)[0][0])

    def _day_of(self, each: Described) -> date:
        return each.sheet.day or kst_date(self._until)

    def _quiet(self, symbol: str) -> frozenset[date]:
        """Days on which the daily bars say that nothing traded."""
        try:
            rows = self._stored.rows(self._stored.sheet(DAILY, symbol), ("ts", "volume"))
        except FileError:
            return frozenset()  # its own check says so
        return frozenset(kst_date(ts) for ts, volume in rows if not volume)

    def _notes(self, series: Series, group: Sequence[Described]) -> Iterator[Finding]:
        day = self._day_of(group[0])
        if series.instrument is None:
            symbol = series.symbol
            text = f"market and kind of {symbol} are not known: ticks and limits were not checked"
            yield noted(text, "unknown-instrument", series, day)
        said = {each.about.basis for each in group if not each.problem}
        if {Basis.RAW, Basis.ADJUSTED} <= said:
            yield amiss("some days are raw and others adjusted", "mixed-basis", series, day)

    def _instrument(self, symbol: str) -> Instrument | None:
        try:
            return instrument_for(self._rules, symbol, self._market, self._kind)
        except UsageError:
            return None


def _row(row: Sequence[int]) -> Row:
    """A trade has one price."""
    ts, *prices, volume = row
    first, high, low, close = prices if len(prices) > 1 else prices * 4
    return Row(ts, first, high, low, close, volume)
