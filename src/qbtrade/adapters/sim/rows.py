"""Which rows of a market-data file are wanted, and which of them follow each other in time, as SQL."""

import msgspec

from qbtrade.adapters.sim.table import IS_SYMBOL, Kind, sql_literal


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
            parts.append(f"(symbol IN ({', '.join(map(sql_literal, self.symbols))}) OR NOT {IS_SYMBOL})")
        if self.start:
            parts.append(f"(ts >= {self.start} OR ts IS NULL)")
        if self.end:
            parts.append(f"(ts < {self.end} OR ts IS NULL)")
        return " AND ".join(parts)


class Rows(msgspec.Struct, frozen=True):
    """SQL over a view of rows with their problem (NULL: none). is_alone: they are all of one symbol.

    Every query keeps the order of the file, and but for `ordered` of several symbols runs in constant memory.
    """

    view: str
    kind: Kind
    is_alone: bool

    def good(self, symbol: str = "") -> str:
        """Rows without a problem of their own, of one symbol or of all."""
        mine = f" AND symbol = {sql_literal(symbol)}" if symbol else ""
        return f"SELECT * FROM {self.view} WHERE problem IS NULL{mine}"  # noqa: S608 - our own view

    def ordered(self, symbol: str = "", *, by_symbol: bool = True) -> str:
        """Good rows with `before`, the newest ts above them, and `stray`: true when they should have stood above it.

        by_symbol: compare rows of one symbol only. Bars of one symbol may not share their time; trades may.
        """
        is_split = by_symbol and not symbol and not self.is_alone
        over = "PARTITION BY symbol ORDER BY n " if is_split else ""
        sign = "<=" if self.kind == "bars" and by_symbol else "<"
        newest = f"max(ts) OVER ({over}ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS newest"
        return (
            f"SELECT *, coalesce(ts {sign} before, false) AS stray FROM"  # noqa: S608 - our own columns
            f" (SELECT *, lag(newest) OVER ({over}) AS before FROM (SELECT *, {newest} FROM ({self.good(symbol)})))"
        )

    def kept(self, symbol: str = "") -> str:
        """Rows that can be played, of one symbol or of all."""
        return f"SELECT * FROM ({self.ordered(symbol)}) WHERE NOT stray"  # noqa: S608 - our own columns
