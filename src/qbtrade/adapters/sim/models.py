"""What the simulated venue assumes about delay, price, volume and refusals, as small classes."""

from random import Random
from typing import Final, Protocol

from qbtrade.domain.instrument import TickTable
from qbtrade.domain.money import PPB
from qbtrade.errors import UnknownNameError


class Latency(Protocol):
    """How long a request travels to the exchange."""

    def arrival(self, now: int) -> int:
        """When a request that leaves at `now` arrives; both UTC ns."""
        ...


class Slippage(Protocol):
    """What taking liquidity costs beyond the printed price."""

    def price(self, printed: int, ticks: TickTable, *, buy: bool) -> int:
        """The price in KRW, on the grid, at which a taker trades while the venue prints `printed`."""
        ...


class FillRule(Protocol):
    """Which print shows that a resting order was reached."""

    def fills(self, limit: int, printed: int, *, buy: bool) -> bool:
        """True when the print fills the order at its limit."""
        ...


class Volume(Protocol):
    """How much of a print could have been ours."""

    def available(self, qty: int) -> int:
        """Shares that all our orders together may get of a print of `qty` shares."""
        ...


class Refusals(Protocol):
    """Orders that the venue refuses for no reason of theirs."""

    def refuses(self) -> bool:
        """True when the order that just arrived is refused. Asked once per order, in order of arrival."""
        ...


class FixedLatency:
    """Every request arrives the same time later. delay: ns."""

    def __init__(self, delay: int) -> None:
        self._delay = delay

    def arrival(self, now: int) -> int:
        """`delay` after `now`."""
        return now + self._delay


class TickSlippage:
    """Takers trade a fixed number of ticks beyond the print; off the grid, the next grid price is the first tick."""

    def __init__(self, count: int) -> None:
        self._count = count

    def price(self, printed: int, ticks: TickTable, *, buy: bool) -> int:
        """The print moved against the taker."""
        if self._count:
            return ticks.step(printed, self._count if buy else -self._count)
        return ticks.up(printed) if buy else ticks.down(printed)


class Through:
    """Only a print strictly beyond the limit fills: everybody before us in the queue was served."""

    def fills(self, limit: int, printed: int, *, buy: bool) -> bool:
        """True when the market traded through the limit."""
        return printed < limit if buy else printed > limit


class Touch:
    """A print at the limit fills too: we stand first in the queue. Optimistic."""

    def fills(self, limit: int, printed: int, *, buy: bool) -> bool:
        """True when the market traded at the limit or through it."""
        return printed <= limit if buy else printed >= limit


class VolumeShare:
    """Our orders together get a fixed share of each print, at least one share of stock. share: ppb."""

    def __init__(self, share: int) -> None:
        self._share = share

    def available(self, qty: int) -> int:
        """The share, rounded down; nothing of a print without volume."""
        return max(qty * self._share // PPB, 1) if qty > 0 else 0


class RandomRefusals:
    """A fixed share of orders is refused. rate: ppb."""

    def __init__(self, rate: int, rng: Random) -> None:
        self._rate, self._rng = rate, rng

    def refuses(self) -> bool:
        """Draw for one order; draws nothing when the rate is zero."""
        return self._rate > 0 and self._rng.randrange(PPB) < self._rate


FILL_RULES: Final[dict[str, type[FillRule]]] = {"through": Through, "touch": Touch}


def fill_rule(name: str) -> FillRule:
    """The fill rule of that name. Raises: UnknownNameError."""
    if name not in FILL_RULES:
        raise UnknownNameError("fill model", name, FILL_RULES)
    return FILL_RULES[name]()
