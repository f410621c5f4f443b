"""Which printed trades are new, judged by the day's cumulative volume that each of them carries."""

from typing import Final

MOST_HOLES: Final = 32


class _Symbol:
    """Where one symbol stands. holes: volume not seen, as (from, to), oldest first."""

    __slots__ = ("day", "holes", "ts", "volume")

    def __init__(self, day: str, ts: int, volume: int) -> None:
        self.day, self.ts, self.volume = day, ts, volume
        self.holes: list[tuple[int, int]] = []


class Tape:
    """Lets every trade through once: repeats are told apart from trades that come late.

    A trade covers the volume from `volume - qty` to `volume`. What follows on is new; what lies ahead leaves a hole;
    what fits a hole came late and is new; anything else was seen. A volume that falls while time moves on is a count
    that the server began again.
    """

    def __init__(self) -> None:
        self._symbols: dict[str, _Symbol] = {}
        self.repeats = self.late = self.restarts = self.missed_volume = 0

    def accepts(self, symbol: str, day: str, ts: int, qty: int, volume: int, *, expected: bool = False) -> bool:
        """True for a trade not seen before.

        expected: the record may be an auction's expected price, which is a trade only when the volume grew.
        """
        known = self._symbols.get(symbol)
        if known is None or known.day != day:
            self._symbols[symbol] = _Symbol(day, ts, volume)
            return qty > 0 and not expected
        if volume - qty == known.volume and qty > 0:
            known.volume, known.ts = volume, ts
            return True
        return self._inspect(known, ts, qty, volume)

    def _inspect(self, known: _Symbol, ts: int, qty: int, volume: int) -> bool:
        first = volume - qty
        if first > known.volume and qty > 0:
            self.missed_volume += first - known.volume
            known.holes.append((known.volume, first))
            del known.holes[:-MOST_HOLES]
            known.volume, known.ts = volume, ts
            return True
        if volume < known.volume and ts > known.ts:
            self.restarts += 1
            known.volume, known.ts, known.holes = volume, ts, []
            return qty > 0
        if qty > 0 and self._fits_a_hole(known, first, volume):
            self.late += 1
            self.missed_volume -= qty
            return True
        self.repeats += 1
        return False

    @staticmethod
    def _fits_a_hole(known: _Symbol, first: int, volume: int) -> bool:
        for at, (low, high) in enumerate(known.holes):
            if low <= first and volume <= high:
                rest = ((low, first), (volume, high))
                known.holes[at : at + 1] = [hole for hole in rest if hole[0] < hole[1]]
                return True
        return False
