"""Answers about prices: now, the book, the last trades, bars.

Source: PROTOCOL 5.8.
"""

from collections.abc import Sequence
from datetime import date, time
from typing import Final

import msgspec

from qbtrade.adapters.kis.parse.envelope import Page, Row, all_rows, only
from qbtrade.domain.calendar import MINUTE, kst_ns
from qbtrade.domain.market import Bar

LEVELS: Final = 10
SUSPENDED: Final = "58"
"""The class of a stock that does not trade."""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """A stock now, in KRW and shares. upper, lower, base, tick: today's limits, their base and the price step.

    halted: trading is suspended. status: KIS's class of the stock ("51" administrative, "58" suspended, …).
    vi: a volatility interruption is on. caution, warning: investment caution; "00" is no warning.
    liquidation: it trades for the last days before it is delisted. overheated: short-term overheating.
    """

    last: int
    base: int
    upper: int
    lower: int
    tick: int
    open: int
    high: int
    low: int
    volume: int
    market: str
    status: str
    halted: bool
    vi: bool
    caution: bool
    warning: str
    overheated: bool
    liquidation: bool
    managed: bool

    @property
    def is_suspended(self) -> bool:
        """Nothing of it trades, for minutes or for days."""
        return self.halted or self.status == SUSPENDED


class Level(msgspec.Struct, frozen=True):
    """One price of the book, KRW, and the shares that wait there."""

    price: int
    qty: int


class Book(msgspec.Struct, frozen=True):
    """The order book, best first, empty levels left out. expected: price of a running auction, KRW, or 0.

    phase: KIS's two digits of the market's phase.
    """

    at: time
    asks: tuple[Level, ...]
    bids: tuple[Level, ...]
    expected: int
    phase: str


class Conclusion(msgspec.Struct, frozen=True):
    """One of the last trades. at: KST time of day, in which many may share a second.

    volume: shares of the day up to and with it; 0 where it is not told.
    """

    at: time
    price: int
    qty: int
    volume: int = 0


class DailyBar(msgspec.Struct, frozen=True):
    """One day, in KRW and shares."""

    day: date
    open: int
    high: int
    low: int
    close: int
    volume: int


def price(pages: Sequence[Page]) -> Price:
    """The stock now. Raises: WireError."""
    row = only(pages).row("output")
    return Price(
        last=row.count("stck_prpr"),
        base=row.count("stck_sdpr"),
        upper=row.count("stck_mxpr"),
        lower=row.count("stck_llam"),
        tick=row.count("aspr_unit"),
        open=row.count_or_zero("stck_oprc"),
        high=row.count_or_zero("stck_hgpr"),
        low=row.count_or_zero("stck_lwpr"),
        volume=row.count_or_zero("acml_vol"),
        market=row.text("rprs_mrkt_kor_name"),
        status=row.text("iscd_stat_cls_code"),
        halted=row.flag("temp_stop_yn"),
        vi=row.flag("vi_cls_code"),
        caution=row.flag("invt_caful_yn"),
        warning=row.text("mrkt_warn_cls_code"),
        overheated=row.flag("short_over_yn"),
        liquidation=row.flag("sltr_yn"),
        managed=row.flag("mang_issu_cls_code"),
    )


def book(pages: Sequence[Page]) -> Book:
    """The order book. Raises: WireError."""
    page = only(pages)
    row = page.row("output1")
    return Book(
        row.clock("aspr_acpt_hour"),
        _levels(row, "askp"),
        _levels(row, "bidp"),
        page.row("output2").count_or_zero("antc_cnpr"),
        row.text("new_mkop_cls_code"),
    )


def conclusions(pages: Sequence[Page]) -> tuple[Conclusion, ...]:
    """The last trades, oldest first. Raises: WireError."""
    return all_rows(pages, "output", _conclusion)[::-1]


def timed_conclusions(pages: Sequence[Page]) -> tuple[Conclusion, ...]:
    """The last trades up to a time of day, oldest first. Raises: WireError."""
    return all_rows(pages, "output2", _conclusion)[::-1]


def minute_bars(symbol: str, pages: Sequence[Page]) -> tuple[Bar, ...]:
    """One-minute bars, oldest first, the running one and minutes ahead included. Raises: WireError.

    A bar carries the time of its beginning: the closing auction stands in the bar of 15:30.
    """
    return tuple(_minute_bar(symbol, row) for page in pages for row in page.rows("output2"))[::-1]


def daily_bars(pages: Sequence[Page]) -> tuple[DailyBar, ...]:
    """Daily bars, oldest first; days before the listing, which come blank, left out. Raises: WireError."""
    found = [_daily_bar(row) for page in pages for row in page.rows("output2") if row.text("stck_bsop_date")]
    return tuple(found[::-1])


def _levels(row: Row, side: str) -> tuple[Level, ...]:
    levels = (
        Level(row.count_or_zero(f"{side}{number}"), row.count_or_zero(f"{side}_rsqn{number}"))
        for number in range(1, LEVELS + 1)
    )
    return tuple(level for level in levels if level.price and level.qty)


def _conclusion(row: Row) -> Conclusion:
    return Conclusion(
        row.clock("stck_cntg_hour"),
        row.count("stck_prpr", "stck_pbpr"),
        row.count("cntg_vol", "cnqn"),
        row.count_or_zero("acml_vol"),
    )


def _minute_bar(symbol: str, row: Row) -> Bar:
    start = kst_ns(row.day("stck_bsop_date"), row.clock("stck_cntg_hour"))
    return Bar(
        start + MINUTE,
        symbol,
        start,
        row.count("stck_oprc"),
        row.count("stck_hgpr"),
        row.count("stck_lwpr"),
        row.count("stck_prpr"),
        row.count("cntg_vol"),
    )


def _daily_bar(row: Row) -> DailyBar:
    return DailyBar(
        row.day("stck_bsop_date"),
        row.count("stck_oprc"),
        row.count("stck_hgpr"),
        row.count("stck_lwpr"),
        row.count("stck_clpr"),
        row.count("acml_vol"),
    )
