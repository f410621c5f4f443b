"""What the broker looks at before it takes an order, in KIS's codes. Source: PROTOCOL of the KIS wire, error codes."""

from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Final

from qbtrade.adapters.emulator.answers import Refusal
from qbtrade.adapters.emulator.market import Listing
from qbtrade.adapters.emulator.orders import TERMS, Entry, Ticket
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.domain.calendar import Calendar, Phase, kst_date, kst_ns
from qbtrade.domain.money import Costs
from qbtrade.domain.order import OrderKind, Side

_EVER = (date.min, date.max)
_AFTER_MARKET = (time(16), time(20), date(2026, 9, 14), date.max)
_WINDOWS: Final = {
    "05": (time(8, 30), time(8, 40), *_EVER),
    "06": (time(15, 30), time(16), *_EVER),
    "07": (time(16), time(18), date.min, date(2026, 9, 13)),
    **dict.fromkeys(("41", "42", "43", "44", "45", "46", "47"), _AFTER_MARKET),
}
"""When the order codes of other sessions are for: first and last time of day, first and last day."""
_OPEN = frozenset({Phase.OPENING_AUCTION, Phase.CONTINUOUS, Phase.CLOSING_AUCTION})
_SERIOUS = "7"


class Checks:
    """Refusals of one side. listings: by symbol. ended: a day on which the market closed before its time."""

    def __init__(
        self, side: Dialect, calendar: Calendar, listings: Mapping[str, Listing], costs_of: Callable[[str], Costs]
    ) -> None:
        self._side, self._calendar, self._listings, self._costs_of = side, calendar, listings, costs_of
        self.ended: date | None = None

    def listing(self, symbol: str) -> Listing:
        """The stock of a symbol. Raises: Refusal."""
        listing = self._listings.get(symbol.strip())
        if listing is None:
            raise Refusal("APBK0656")
        return listing

    def order(self, now: int, ticket: Ticket, limit: int, cash: int, shares: int) -> None:
        """Refuse what cannot be. limit: KRW that bind cash per share. cash, shares: free ones. Raises: Refusal."""
        self.hours(now)
        listing = self.listing(ticket.symbol)
        if listing.is_halted:
            raise Refusal("APBK0066", rt_cd=_SERIOUS)
        if ticket.qty <= 0:
            raise Refusal("APBK0010", rt_cd=_SERIOUS)
        if ticket.kind is OrderKind.LIMIT:
            _price(ticket.price, listing)
        if ticket.side is Side.BUY and self.reserve(ticket.symbol, limit, ticket.qty) > cash:
            raise Refusal("APBK0952", rt_cd=_SERIOUS)
        if ticket.side is Side.SELL and ticket.qty > shares:
            nothing = self._side == "paper" and not shares
            raise Refusal("40240000" if nothing else "APBK0400", rt_cd=_SERIOUS)

    def code(self, now: int, code: str, venue: str) -> str:
        """An order code that is taken. Raises: Refusal."""
        is_paper = self._side == "paper"
        if venue != "KRX":
            raise Refusal("90000000" if is_paper else "APBK3009", rt_cd=_SERIOUS)
        if code in _WINDOWS:
            self._window(now, *_WINDOWS[code])
            raise Refusal("90000000" if is_paper else "APBK3013", rt_cd=_SERIOUS)
        if code not in TERMS:
            raise Refusal("APBK0963", rt_cd=_SERIOUS)
        return code

    def hours(self, now: int) -> None:
        """Raises: Refusal outside the hours in which orders are taken."""
        day = self._trading_day(now)
        if self._calendar.phase_at(now) not in _OPEN or day == self.ended:
            raise self._closed(early=now < self._calendar.trading_day(day).open)

    def _window(self, now: int, first: time, last: time, since: date, until: date) -> None:
        """Raises: Refusal outside of a session that has hours of its own."""
        day = self._trading_day(now)
        if not since <= day <= until or not kst_ns(day, first) <= now < kst_ns(day, last):
            raise self._closed(early=now < kst_ns(day, first))

    def _trading_day(self, now: int) -> date:
        day = kst_date(now)
        if not self._calendar.is_trading_day(day):
            raise Refusal("40100000" if self._side == "paper" else "APBK0919")
        return day

    def _closed(self, *, early: bool) -> Refusal:
        if self._side == "real":
            return Refusal("APBK0918")
        return Refusal("40570000" if early else "40580000")

    def remainder(self, original: Entry, qty: int) -> None:
        """Raises: Refusal when so many shares of an order can no longer be amended or canceled."""
        if not 0 < qty <= original.remaining:
            raise self.no_remainder()

    def no_remainder(self) -> Refusal:
        """What is said when nothing is left to amend or cancel."""
        return Refusal("40330000") if self._side == "paper" else Refusal("APBK0927", rt_cd=_SERIOUS)

    def reserve(self, symbol: str, limit: int, qty: int) -> int:
        """KRW that a buy binds, fees included."""
        amount = limit * qty
        return amount + self._costs_of(symbol).commission(amount)


def _price(price: int, listing: Listing) -> None:
    if price <= 0 or not listing.ticks.on_grid(price):
        raise Refusal("APBK0506", rt_cd=_SERIOUS)
    if not listing.band.contains(price):
        raise Refusal("APBK0011", rt_cd=_SERIOUS)
