"""A base price that is not the close before: a split, a consolidation, rights. It is neither profit nor loss.

KRX sets the base from which a day's price counts to the close of the day before, unless the shares became others
overnight. How many of them are ours then, the broker's count decides, or a person.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.parse.quotes import DailyBar, Price
from qbtrade.app.live.asking import Asking
from qbtrade.app.live.carried import Carried
from qbtrade.app.live.shares_told import Told
from qbtrade.domain.calendar import Calendar, kst_date
from qbtrade.domain.events import Jump
from qbtrade.domain.money import PPB

ROUNDED: Final = 200
"""One part in so many, and one share: how far a count of shares may be from what the prices say, which lie on ticks."""
IMPOSSIBLE: Final = 2
"""No stock doubles or halves between a price of one day and its close."""


class Jumped(msgspec.Struct, frozen=True):
    """Base prices that are no closes, and what people said of such shares; both by symbol."""

    jumps: dict[str, Jump] = {}
    told: dict[str, Told] = {}


def jumps(desk: Asking, found: Carried, calendar: Calendar, prices: Mapping[str, Price], slack: int) -> dict[str, Jump]:
    """What happened to stocks that qb may hold since its last session, and what nobody has decided yet, by symbol.

    prices: of today, of some. slack: ppb by which a base may differ from the close. Raises: BrokerError,
    KeyboardInterrupt.
    """
    today = kst_date(desk.clock.now())
    if found.since is None or found.since >= today:
        return found.jumps
    known, before = dict(found.jumps), calendar.previous_day(today)
    for symbol in sorted({*found.positions, *(left.order.symbol for left in found.leftovers)} - known.keys()):
        price = prices.get(symbol) or desk.fetch(calls.price(desk.environment, symbol))
        bars = desk.fetch(calls.daily_bars(desk.environment, symbol, found.since, before))
        adjusted = bars
        if found.since < before:
            adjusted = desk.fetch(calls.daily_bars(desk.environment, symbol, found.since, before, adjusted=True))
        last = found.last.get(symbol, 0) if found.since == before else 0
        close, base = jumped(bars, adjusted, price.base, last)
        if abs(close - base) * PPB > close * slack:
            known[symbol] = Jump(close, base, today.isoformat())
    return known


def jumped(bars: Sequence[DailyBar], adjusted: Sequence[DailyBar], base: int, last: int) -> tuple[int, int]:
    """A close and the base that today has in its place; the same where nothing happened. KRW.

    bars: as they traded, oldest first; adjusted: the same, to the shares of now. last: price that a session saw on the
    newest of these days, or 0.
    """
    raw, fitted = {bar.day: bar.close for bar in bars}, {bar.day: bar.close for bar in adjusted}
    days = sorted(raw.keys() & fitted.keys())
    if not days:
        return (last, base) if last and not _is_possible(last, base) else (base, base)
    first, newest = days[0], days[-1]
    close, now = raw[newest], base
    if raw[first] * fitted[newest] != fitted[first] * raw[newest]:  # on a day between
        now = base * fitted[first] * raw[newest] // max(raw[first] * fitted[newest], 1)
    if close == now and last and not _is_possible(last, base):
        return last, base
    return close, now


def _is_possible(last: int, base: int) -> bool:
    return last < base * IMPOSSIBLE and base < last * IMPOSSIBLE


def shares_now(jump: Jump, own: int, before: int, theirs: int) -> int:
    """How many shares our own have become, by the broker's count; -1 where it does not follow the price.

    before: shares of all that there were; theirs: that there are.
    """
    expected, found = before * jump.close, theirs * jump.base
    if theirs in {0, before} or abs(found - expected) > jump.base + expected // ROUNDED:
        return -1
    return own * theirs // before
