"""Every reader of KIS's answers, by name."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from qbtrade.adapters.kis.parse import account, keys, market, orders, quotes
from qbtrade.adapters.kis.parse.envelope import Page
from tests.adapters.kis.desk import NOW


def one_grant(pages: Sequence[Page]) -> object:
    return [keys.grant(NOW, page) for page in pages]


PARSERS: Final[dict[str, Callable[[Sequence[Page]], object]]] = {
    "order_ack": orders.order_ack,
    "order_history": orders.order_history,
    "live_orders": orders.live_orders,
    "balance": account.balance,
    "buying_power": account.buying_power,
    "sellable": account.sellable,
    "price": quotes.price,
    "book": quotes.book,
    "conclusions": quotes.conclusions,
    "timed_conclusions": quotes.timed_conclusions,
    "minute_bars": partial(quotes.minute_bars, "005930"),
    "daily_bars": quotes.daily_bars,
    "market_days": market.market_days,
    "interruptions": market.interruptions,
    "stock_info": market.stock_info,
    "grant": one_grant,
    "approval": keys.approval,
}
