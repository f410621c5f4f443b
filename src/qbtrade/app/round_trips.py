"""Round trips: from the first share of a symbol to the last one sold."""

from dataclasses import dataclass
from typing import Any

from qbtrade.app.order_rows import OrderRows
from qbtrade.domain.calendar import iso_kst
from qbtrade.domain.events import PositionChanged
from qbtrade.domain.money import PPB
from qbtrade.domain.order import Side
from qbtrade.kernel.bus import Bus


@dataclass(slots=True)
class RoundTrip:
    """One position from nothing to nothing. KRW and UTC ns; realized: gross; exit_purpose: that of the last sale."""

    symbol: str
    entry_ts: int
    exit_ts: int = 0
    qty: int = 0
    proceeds: int = 0
    realized: int = 0
    commission: int = 0
    tax: int = 0
    slippage: int = 0
    exit_purpose: str = ""

    @property
    def cost(self) -> int:
        """What the shares had cost, without fees."""
        return self.proceeds - self.realized

    @property
    def net(self) -> int:
        """Profit after commission and tax; slippage is inside the prices already."""
        return self.realized - self.commission - self.tax

    @property
    def holding(self) -> int:
        """How long it lasted, ns."""
        return self.exit_ts - self.entry_ts

    def row(self) -> dict[str, Any]:
        """The round trip as the report writes it."""
        return {
            "symbol": self.symbol,
            "entry_ts": iso_kst(self.entry_ts),
            "exit_ts": iso_kst(self.exit_ts),
            "qty": self.qty,
            "cost": self.cost,
            "proceeds": self.proceeds,
            "gross": self.realized,
            "commission": self.commission,
            "tax": self.tax,
            "slippage": self.slippage,
            "net": self.net,
            "return_ppb": self.net * PPB // self.cost if self.cost else None,
            "holding_ns": self.holding,
            "exit_purpose": self.exit_purpose,
        }


class RoundTrips:
    """Cuts the fills of each symbol where its position returns to nothing."""

    def __init__(self, bus: Bus, orders: OrderRows) -> None:
        self.closed: list[RoundTrip] = []
        self._orders = orders
        self._open: dict[str, RoundTrip] = {}
        bus.subscribe(PositionChanged, self._on_booked)

    def _on_booked(self, event: PositionChanged) -> None:
        trip = self._open.setdefault(event.symbol, RoundTrip(event.symbol, event.ts))
        trip.commission += event.commission
        trip.tax += event.tax
        trip.slippage += self._orders.slippage(event.order_id, event.price, event.fill_qty)
        if event.side is Side.SELL:
            trip.qty += event.fill_qty
            trip.proceeds += event.price * event.fill_qty
            trip.realized += event.realized
            if event.qty == 0:
                trip.exit_ts, trip.exit_purpose = event.ts, event.purpose.value
                self.closed.append(self._open.pop(event.symbol))
