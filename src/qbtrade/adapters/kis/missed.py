"""Whether a stream that stands brings the trades of a stock: a line may live and bring nothing but PINGPONG."""

from typing import Final

import msgspec

from qbtrade.domain.calendar import NS
from qbtrade.domain.market import Trade

LATE: Final = 5 * NS
"""A trade that REST tells of is on the stream by then."""


class _Mark(msgspec.Struct):
    """Where a quiet stock stood at the first look. heard: the stream's last trade. volume: the day's shares by REST.

    grew_at: when REST first told of more, UTC ns, or 0.
    """

    heard: Trade | None
    volume: int
    grew_at: int = 0


class Missed:
    """Looks at quiet stocks. REST's volume is measured by REST alone: the stream may count otherwise.

    Trades of no shares are prices of REST's; all others the stream has brought.
    """

    def __init__(self) -> None:
        self._marks: dict[str, _Mark] = {}
        self._doubted: dict[str, Trade | None] = {}

    def looked(self, symbol: str, last: Trade | None, volume: int, now: int) -> bool:
        """REST told the day's volume; True when it grew a while ago by trades that the stream has not brought."""
        mark, heard = self._marks.get(symbol), last if last and last.qty else None
        if mark is None or mark.heard is not heard:
            self._marks[symbol] = _Mark(heard, volume)
            return False
        if not mark.grew_at:
            mark.grew_at = now if volume > mark.volume else 0
            return False
        if now - mark.grew_at < LATE:
            return False
        self._doubted[symbol] = heard
        del self._marks[symbol]
        return True

    def doubts(self, symbol: str, last: Trade | None) -> bool:
        """Whether the stream has brought no trade of it since it missed some, over connections."""
        if symbol in self._doubted and last and last.qty and last is not self._doubted[symbol]:
            del self._doubted[symbol]
        return symbol in self._doubted

    def forget(self) -> None:
        """Another connection: look anew."""
        self._marks.clear()
