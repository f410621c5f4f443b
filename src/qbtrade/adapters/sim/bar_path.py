"""The path that prices are taken to have gone inside a bar, as four prints."""

from collections.abc import Iterable, Iterator, Sequence

from qbtrade.domain.calendar import NS
from qbtrade.domain.market import Trade

BarRow = tuple[int, int, str, int, int, int, int, int]
"""start, till (UTC ns, half open), symbol, open, high, low, close (KRW), volume (shares)."""


def prints(row: BarRow) -> tuple[Trade, Trade, Trade, Trade]:
    """Open, the nearer extreme (the low when both are as near), the other one, close.

    They stand at the start, one third, two thirds and the last nanosecond of the bar; each trades a quarter of the
    volume, the close what remains.
    """
    start, till, symbol, first, high, low, last, volume = row
    span, qty = till - start, volume // 4
    near, far = (high, low) if high - first < first - low else (low, high)
    return (
        Trade(start, symbol, first, qty),
        Trade(start + span // 3, symbol, near, qty),
        Trade(start + 2 * span // 3, symbol, far, qty),
        Trade(till - 1, symbol, last, volume - 3 * qty),
    )


def ends_bar(trade: Trade) -> bool:
    """True for a close: it stands in the last nanosecond of a whole second, and nothing trades behind it."""
    return trade.ts % NS == NS - 1


def play(rows: Iterable[BarRow]) -> Iterator[Trade]:
    """Prints of bars sorted by start. Bars that start together are played side by side, in the order of their rows."""
    together: list[tuple[Trade, Trade, Trade, Trade]] = []
    start = -1
    for row in rows:
        if row[0] != start:
            yield from _side_by_side(together)
            together.clear()
            start = row[0]
        together.append(prints(row))
    yield from _side_by_side(together)


def _side_by_side(paths: Sequence[Sequence[Trade]]) -> Iterable[Trade]:
    if len(paths) == 1:
        return paths[0]
    return [trade for moment in zip(*paths, strict=True) for trade in moment]
