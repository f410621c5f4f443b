"""Answers about days and stocks: holidays, volatility interruptions, what a stock is.

Source: PROTOCOL 5.8.
"""

from collections.abc import Sequence
from datetime import date, time
from typing import Final

import msgspec

from qbtrade.adapters.kis.parse.envelope import Page, Row, all_rows, only

_LONGEST: Final = 7
"""Characters of a symbol; KIS may write more in front of it, with an A where an ETN has its Q."""


class MarketDay(msgspec.Struct, frozen=True):
    """One date. open: the exchange trades. settles: trades settle."""

    day: date
    open: bool
    settles: bool


class Interruption(msgspec.Struct, frozen=True, kw_only=True):
    """One volatility interruption of today. kind: "1" static, "2" dynamic, "3" both. price: KRW that set it off.

    ended: None while it lasts.
    """

    symbol: str
    active: bool
    kind: str
    began: time
    ended: time | None
    price: int


class StockInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a stock is. market: KIS's id (STK, KSQ, KNX). group: ST stock, EF ETF, EN ETN.

    delisting: last day, or None.
    """

    symbol: str
    name: str
    market: str
    group: str
    halted: bool
    managed: bool
    on_nxt: bool
    delisting: date | None


def market_days(pages: Sequence[Page]) -> tuple[MarketDay, ...]:
    """Dates from the one asked for on, in order. Raises: WireError."""
    return all_rows(pages, "output", _market_day)


def interruptions(pages: Sequence[Page]) -> tuple[Interruption, ...]:
    """Volatility interruptions of a day. Raises: WireError."""
    return all_rows(pages, "output", _interruption)


def stock_info(pages: Sequence[Page]) -> StockInfo:
    """What the stock is. Raises: WireError."""
    row = only(pages).row("output")
    symbol = row.text("pdno")
    if not symbol:
        raise row.wrong("pdno", "is blank")
    return StockInfo(
        symbol=symbol[-_LONGEST:].removeprefix("A") if len(symbol) > _LONGEST else symbol,
        name=row.text("prdt_abrv_name", "prdt_name"),
        market=row.text("mket_id_cd"),
        group=row.text("scty_grp_id_cd"),
        halted=row.flag("tr_stop_yn"),
        managed=row.flag("admn_item_yn"),
        on_nxt=row.flag("cptt_trad_tr_psbl_yn"),
        delisting=row.day("lstg_abol_dt") if row.text("lstg_abol_dt").strip("0") else None,
    )


def _market_day(row: Row) -> MarketDay:
    return MarketDay(row.day("bass_dt"), row.flag("opnd_yn"), row.flag("sttl_day_yn"))


def _interruption(row: Row) -> Interruption:
    return Interruption(
        symbol=row.text("mksc_shrn_iscd"),
        active=row.flag("vi_cls_code"),
        kind=row.text("vi_kind_code"),
        began=row.clock("cntg_vi_hour"),
        ended=row.clock("vi_cncl_hour") if row.text("vi_cncl_hour").strip("0") else None,
        price=row.count_or_zero("vi_prc"),
    )
