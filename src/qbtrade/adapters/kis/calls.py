"""What can be asked of KIS: one function per transaction, which gives a call ready to send, and how its answer is read.

Source: PROTOCOL 2.3 and 5; the field names are those of KIS's API workbook.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, time
from functools import partial
from typing import Final, TypeVar

from qbtrade.adapters.kis.call import PATIENCE, Call, CallKind, Priority
from qbtrade.adapters.kis.environment import NS, ORDER_TRS, Environment, Secret
from qbtrade.adapters.kis.parse import account, keys, market, orders, quotes
from qbtrade.adapters.kis.parse.envelope import Page
from qbtrade.adapters.kis_fields import REST
from qbtrade.domain.market import Bar
from qbtrade.domain.order import GUARDING, OrderKind, OrderRequest, Side, TimeInForce
from qbtrade.errors import ConfigError

T = TypeVar("T")
VENUE: Final = "KRX"
MARKET: Final = "J"
"""KRX, as quotations call it."""
APPROVAL_PATH: Final = "/oauth2/Approval"
CODES: Final[Mapping[tuple[OrderKind, TimeInForce], str]] = {
    (OrderKind.LIMIT, TimeInForce.DAY): "00",
    (OrderKind.LIMIT, TimeInForce.IOC): "11",
    (OrderKind.LIMIT, TimeInForce.FOK): "12",
    (OrderKind.MARKET, TimeInForce.DAY): "01",
    (OrderKind.MARKET, TimeInForce.IOC): "13",
    (OrderKind.MARKET, TimeInForce.FOK): "14",
}
"""ORD_DVSN of what our orders can be."""
VI_SCREEN: Final = "20139"
STOCKS: Final = "300"
NUMBER_WIDTH: Final = 10
IMPATIENT: Final = 2 * NS
PATIENT: Final = 20 * NS
UNCHECKED: Final = partial(account.balance, tells_sum=False)
"""A balance whose pages prove nothing about each other."""


def approval_key() -> Call[Secret]:
    """The key with which the stream is opened. Source: PROTOCOL 2.3."""
    return Call(
        name="approval", tr_id="", method="POST", path=APPROVAL_PATH, params={}, priority=Priority.QUOTE,
        kind=CallKind.KEY, parse=keys.approval,
    )  # fmt: skip


def order(env: Environment, request: OrderRequest) -> Call[orders.OrderAck]:
    """A new order. Source: PROTOCOL 5.1."""
    protects = request.purpose in GUARDING
    params = {
        "PDNO": request.symbol,
        "ORD_DVSN": CODES[request.kind, request.tif],
        "ORD_QTY": str(request.qty),
        "ORD_UNPR": str(request.price if request.kind is OrderKind.LIMIT else 0),
        "EXCG_ID_DVSN_CD": VENUE,
        "SLL_TYPE": "01" if request.side is Side.SELL else "",
        "CNDT_PRIC": "",
    }
    return _ask(
        env, "order-cash", params, orders.order_ack, Priority.PROTECT if protects else Priority.ORDER,
        variant=request.side.lower(), patience=PATIENT if protects else IMPATIENT,
    )  # fmt: skip


def cancel(env: Environment, branch: str, order_no: str, code: str) -> Call[orders.OrderAck]:
    """Cancel all that is left of an order. code: its kind. Source: PROTOCOL 5.3."""
    return _change(env, branch, order_no, code, "02", qty=0, price=0)


def amend(env: Environment, branch: str, order_no: str, code: str, *, price: int) -> Call[orders.OrderAck]:
    """Move all that is left of an order to another price, KRW. Source: PROTOCOL 5.3."""
    return _change(env, branch, order_no, code, "01", qty=0, price=price)


def live_orders(env: Environment) -> Call[tuple[orders.LiveOrder, ...]]:
    """Orders that can still be changed; only where `amendable_orders`. Source: PROTOCOL 5.4."""
    params = {"INQR_DVSN_1": "0", "INQR_DVSN_2": "0"}
    return _ask(env, "inquire-psbl-rvsecncl", params, orders.live_orders, Priority.LOOKUP)


def order_history(
    env: Environment, first: date, last: date, *, symbol: str = "", priority: Priority = Priority.LOOKUP
) -> Call[orders.OrderHistory]:
    """Orders of the last three months, newest first, of one symbol or all. Source: PROTOCOL 5.5."""
    params = {
        "INQR_STRT_DT": _day(first),
        "INQR_END_DT": _day(last),
        "SLL_BUY_DVSN_CD": "00",
        "PDNO": symbol,
        "CCLD_DVSN": "00",
        "INQR_DVSN": "00",
        "INQR_DVSN_3": "00",
        "EXCG_ID_DVSN_CD": "ALL" if env.speaks == "real" else VENUE,
    }
    return _ask(env, "inquire-daily-ccld", params, orders.order_history, priority, variant="within_3_months")


def balance(env: Environment) -> Call[account.Balance]:
    """Holdings and cash. Source: PROTOCOL 5.6."""
    params = {
        "AFHR_FLPR_YN": "N",
        "INQR_DVSN": "02",
        "UNPR_DVSN": "01",
        "FUND_STTL_ICLD_YN": "N",
        "FNCG_AMT_AUTO_RDPT_YN": "N",
        "PRCS_DVSN": "00",
    }
    parse = account.balance if env.capabilities.balance_sum else UNCHECKED
    return _ask(env, "inquire-balance", params, parse, Priority.BALANCE)


def buying_power(env: Environment, symbol: str, price: int) -> Call[account.BuyingPower]:
    """What can be bought at `price` KRW, at the stock's own margin rate. price: 0 for the market's.

    Source: PROTOCOL 5.7.
    """
    params = {
        "PDNO": symbol,
        "ORD_UNPR": str(price) if price else "",
        "ORD_DVSN": "01",
        "CMA_EVLU_AMT_ICLD_YN": "N",
        "OVRS_ICLD_YN": "N",
    }
    return _ask(env, "inquire-psbl-order", params, account.buying_power, Priority.BALANCE)


def sellable(env: Environment, symbol: str) -> Call[account.Sellable]:
    """What can be sold; only where `sellable`. Source: PROTOCOL 5.7."""
    return _ask(env, "inquire-psbl-sell", {"PDNO": symbol}, account.sellable, Priority.BALANCE)


def price(env: Environment, symbol: str) -> Call[quotes.Price]:
    """The stock now. Source: PROTOCOL 5.8."""
    return _ask(env, "inquire-price", _quoted(symbol), quotes.price, Priority.QUOTE)


def book(env: Environment, symbol: str) -> Call[quotes.Book]:
    """The order book. Source: PROTOCOL 5.8."""
    return _ask(env, "inquire-asking-price-exp-ccn", _quoted(symbol), quotes.book, Priority.QUOTE)


def conclusions(env: Environment, symbol: str) -> Call[tuple[quotes.Conclusion, ...]]:
    """The last trades, at most 30. Source: PROTOCOL 5.8."""
    return _ask(env, "inquire-ccnl", _quoted(symbol), quotes.conclusions, Priority.QUOTE)


def conclusions_until(env: Environment, symbol: str, at: time) -> Call[tuple[quotes.Conclusion, ...]]:
    """The last trades up to a KST time of day, at most 30. Source: PROTOCOL 5.8."""
    params = {**_quoted(symbol), "FID_INPUT_HOUR_1": _clock(at)}
    return _ask(env, "inquire-time-itemconclusion", params, quotes.timed_conclusions, Priority.QUOTE)


def minute_bars(env: Environment, symbol: str, until: time) -> Call[tuple[Bar, ...]]:
    """Today's minute bars up to a KST time of day, at most 30. Source: PROTOCOL 5.8."""
    params = {**_quoted(symbol), "FID_INPUT_HOUR_1": _clock(until), "FID_PW_DATA_INCU_YN": "N"}
    return _ask(env, "inquire-time-itemchartprice", params, partial(quotes.minute_bars, symbol), Priority.QUOTE)


def past_minute_bars(env: Environment, symbol: str, day: date, until: time) -> Call[tuple[Bar, ...]]:
    """Minute bars of a past day, at most 120; only where `past_minutes`. Source: PROTOCOL 5.8."""
    params = {
        **_quoted(symbol),
        "FID_INPUT_DATE_1": _day(day),
        "FID_INPUT_HOUR_1": _clock(until),
        "FID_PW_DATA_INCU_YN": "N",
        "FID_FAKE_TICK_INCU_YN": "N",
    }
    return _ask(
        env, "inquire-time-dailychartprice", params, partial(quotes.minute_bars, symbol), Priority.QUOTE,
        unlisted=env.capabilities.past_minutes,
    )  # fmt: skip


def daily_bars(
    env: Environment, symbol: str, first: date, last: date, *, adjusted: bool = False
) -> Call[tuple[quotes.DailyBar, ...]]:
    """Daily bars as they traded, or adjusted to today's shares, at most 100. Source: PROTOCOL 5.8."""
    params = {
        **_quoted(symbol),
        "FID_INPUT_DATE_1": _day(first),
        "FID_INPUT_DATE_2": _day(last),
        "FID_PERIOD_DIV_CODE": "D",
        "FID_ORG_ADJ_PRC": "0" if adjusted else "1",
    }
    return _ask(env, "inquire-daily-itemchartprice", params, quotes.daily_bars, Priority.QUOTE)


def market_days(env: Environment, first: date) -> Call[tuple[market.MarketDay, ...]]:
    """Which days the exchange opens; only where `holidays`, once a day. Source: PROTOCOL 5.8."""
    return _ask(env, "chk-holiday", {"BASS_DT": _day(first)}, market.market_days, Priority.QUOTE, paged=False)


def interruptions(env: Environment, symbol: str, day: date) -> Call[tuple[market.Interruption, ...]]:
    """Volatility interruptions of a stock; only where `vi_status`. Source: PROTOCOL 5.8."""
    params = {
        "FID_DIV_CLS_CODE": "0",
        "FID_COND_SCR_DIV_CODE": VI_SCREEN,
        "FID_MRKT_CLS_CODE": "0",
        "FID_INPUT_ISCD": symbol,
        "FID_RANK_SORT_CLS_CODE": "0",
        "FID_INPUT_DATE_1": _day(day),
    }
    return _ask(env, "inquire-vi-status", params, market.interruptions, Priority.QUOTE)


def stock_info(env: Environment, symbol: str) -> Call[market.StockInfo]:
    """What a stock is; only where `stock_info`. Source: PROTOCOL 5.8."""
    params = {"PRDT_TYPE_CD": STOCKS, "PDNO": symbol}
    return _ask(env, "search-stock-info", params, market.stock_info, Priority.QUOTE)


def _change(
    env: Environment, branch: str, order_no: str, code: str, what: str, *, qty: int, price: int
) -> Call[orders.OrderAck]:
    params = {
        "KRX_FWDG_ORD_ORGNO": branch,
        "ORGN_ODNO": order_no.zfill(NUMBER_WIDTH) if env.capabilities.padded_numbers else order_no,
        "ORD_DVSN": code,
        "RVSE_CNCL_DVSN_CD": what,
        "ORD_QTY": str(qty),
        "ORD_UNPR": str(price),
        "QTY_ALL_ORD_YN": "Y",
        "EXCG_ID_DVSN_CD": VENUE,
        "CNDT_PRIC": "",
    }
    return _ask(env, "order-rvsecncl", params, orders.order_ack, Priority.CANCEL, patience=PATIENT)


def _ask(
    env: Environment,
    name: str,
    params: Mapping[str, str],
    parse: Callable[[Sequence[Page]], T],
    priority: Priority,
    *,
    variant: str = "",
    patience: int = PATIENCE,
    paged: bool = True,
    unlisted: bool = False,
) -> Call[T]:
    """The call with every parameter of its transaction: those given, the account, blanks. Raises: ConfigError.

    unlisted: also where KIS's list does not name it, for somebody configured that it answers.
    """
    tr = REST[name]
    tr_id = tr.tr_id(env.speaks, variant) or (tr.everywhere(variant) if unlisted else "")
    if not tr_id:
        raise ConfigError("{kind} does not offer {call}", hint="See docs/kis.md", kind=env.kind, call=name)
    known = {"CANO": env.cano, "ACNT_PRDT_CD": env.product, **params}
    is_order = tr_id in ORDER_TRS
    return Call(
        name=name, tr_id=tr_id, method=tr.method, path=tr.path,
        params={field: known.get(field, "") for field in tr.request},
        priority=priority, kind=CallKind.ORDER if is_order else CallKind.READ, parse=parse,
        ctx=tr.ctx if paged else (), ledger=not is_order and "CANO" in tr.request, patience=patience,
    )  # fmt: skip


def _quoted(symbol: str) -> dict[str, str]:
    return {"FID_COND_MRKT_DIV_CODE": MARKET, "FID_INPUT_ISCD": symbol}


def _day(day: date) -> str:
    return day.isoformat().replace("-", "")


def _clock(at: time) -> str:
    return at.strftime("%H%M%S")
