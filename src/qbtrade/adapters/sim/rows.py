"""Which rows of a market-data file are wanted, and which of them follow each other in time, as SQL."""

import msgspec

from qbtrade.adapters.sim.audit import problems
from qbtrade.adapters.sim.sessions import OFFSET, Sessions, is_one_of
from qbtrade.adapters.sim.table import IS_SYMBOL, Kind, sql_literal
from qbtrade.domain.calendar import DAY

DAY_NUMBER = f"(ts + {OFFSET}) // {DAY}"


class Selection(msgspec.Struct, frozen=True):
    """Which rows are wanted. symbols: empty for all. start, end: UTC ns, half open, 0 for no bound."""

    symbols: tuple[str, ...] = ()
    start: int = 0
    end: int = 0
    skip_bad_rows: bool = False

    def condition(self) -> str:
        """SQL that keeps the wanted rows, and those of which nobody can tell."""
        parts = ["true"]
        if self.symbols:
            parts.append(f"({is_one_of('symbol', self.symbols)} OR NOT {IS_SYMBOL})")
        if self.start:
            parts.append(f"(ts >= {self.start} OR ts IS NULL)")
        if self.end:
            parts.append(f"(ts < {self.end} OR ts IS NULL)")
        return " AND ".join(parts)


class Rows(msgspec.Struct, frozen=True):
    """SQL over the view of a file's wanted rows. is_alone: they are all of one symbol.

    Every query but `ordered(by_symbol=True)` of several symbols streams in the order of the file, in constant memory.
    """

    view: str
    kind: Kind
    is_alone: bool

    def judged(self, sessions: Sessions) -> str:
        """Rows with their session and `problem`: the number of what is wrong with them, NULL when nothing is."""
        whens = " ".join(f"WHEN {each.condition} THEN {number}" for number, each in enumerate(problems(self.kind)))
        timed = f"SELECT *, {sessions.columns()} FROM (SELECT *, {DAY_NUMBER} AS day FROM {self.view}_typed)"
        return f"SELECT *, CASE {whens} END AS problem FROM ({timed})"

    def ordered(self, symbol: str = "", *, by_symbol: bool) -> str:
        """Judged rows with `before`, the newest ts of good rows above.

        is_stray: it should have stood above that. is_kept: it can be played. symbol: only rows of this one. by_symbol:
        compare with rows of the same symbol; bars of one may not share their time.
        """
        over = "PARTITION BY symbol ORDER BY n " if by_symbol and not symbol and not self.is_alone else ""
        sign = "<=" if self.kind == "bars" and (by_symbol or self.is_alone) else "<"
        mine = f" WHERE symbol = {sql_literal(symbol)}" if symbol else ""
        newest = (
            f"max(CASE WHEN problem IS NULL THEN ts END) OVER ({over}ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
        )
        return (
            "SELECT *, problem IS NULL AND NOT is_stray AS is_kept FROM"
            f" (SELECT *, problem IS NULL AND coalesce(ts {sign} before, false) AS is_stray FROM"
            f" (SELECT *, lag(newest) OVER ({over}) AS before FROM"
            f" (SELECT *, {newest} AS newest FROM {self.view}{mine})))"
        )

    def kept(self, symbol: str = "", *, has_strays: bool) -> str:
        """Rows that can be played, of one symbol or of all."""
        if has_strays:
            return f"SELECT * FROM ({self.ordered(symbol, by_symbol=True)}) WHERE is_kept"
        mine = f" AND symbol = {sql_literal(symbol)}" if symbol else ""
        return f"SELECT * FROM {self.view} WHERE problem IS NULL{mine}"
