"""Records of the market streams: a trade, an order book, a change of the market's operation.

Source: KIS realtime H0STCNT0, H0STASP0, H0STMKO0.
"""

from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from operator import itemgetter
from typing import Final

from qbtrade.adapters.emulator.answers import day_text, decimal, hour_text
from qbtrade.adapters.emulator.book import DEPTH, book_of
from qbtrade.adapters.emulator.market import Listing, Print
from qbtrade.adapters.kis_fields import FIELDS, width
from qbtrade.domain.calendar import Phase

TRADE: Final = "H0STCNT0"
BOOK: Final = "H0STASP0"
OPERATION: Final = "H0STMKO0"
IN_SESSION: Final = "0"
_BLANK: Final = {"MRKT_TRTM_CLS_CODE": ""}
_LEVELS: Final = tuple(
    f"{name}{level}" for name in ("ASKP", "BIDP", "ASKP_RSQN", "BIDP_RSQN") for level in range(1, DEPTH + 1)
)
_NO_PRICES: Final = (0,) * DEPTH
_HOUR_CLASS: Final = {Phase.OPENING_AUCTION: "B", Phase.CLOSING_AUCTION: "A"}
_MKOP: Final = {
    Phase.OPENING_AUCTION: "10", Phase.CONTINUOUS: "20", Phase.CLOSING_AUCTION: "20",
    Phase.CLOSED: "31", Phase.AFTER_MARKET: "30",
}  # fmt: skip
_SEGMENT: Final = {
    Phase.OPENING_AUCTION: "1", Phase.CONTINUOUS: "2", Phase.CLOSING_AUCTION: "5",
    Phase.CLOSED: "5", Phase.AFTER_MARKET: "3",
}  # fmt: skip
EVENTS: Final = {
    "opening": "110", "open": "112", "closing": "121", "close": "129", "vi": "", "circuit-breaker": "174",
    "circuit-breaker-ended": "175",
}  # fmt: skip
"""MKOP_CLS_CODE by what happens."""


def sign(price: int, base: int, listing: Listing | None = None) -> str:
    """1 upper limit, 2 up, 3 flat, 4 lower limit, 5 down."""
    if listing is not None and price == listing.band.upper:
        return "1"
    if listing is not None and price == listing.band.lower:
        return "4"
    return "3" if price == base else "2" if price > base else "5"


def hour_class(listing: Listing, phase: Phase) -> str:
    """HOUR_CLS_CODE: 0 while prices trade, a letter while they are only expected."""
    return "C" if listing.is_interrupted else _HOUR_CLASS.get(phase, IN_SESSION)


def operation_class(phase: Phase) -> str:
    """NEW_MKOP_CLS_CODE."""
    return _MKOP[phase]


def trade_record(listing: Listing, told: Print, phase: Phase, day: date) -> str:
    """One H0STCNT0 record of the width that the day has."""
    today, base, price, book = listing.today, listing.base, told.price, book_of(listing)
    values = {
        "MKSC_SHRN_ISCD": listing.instrument.symbol,
        "STCK_CNTG_HOUR": hour_text(told.ts),
        "STCK_PRPR": price,
        "PRDY_VRSS_SIGN": sign(price, base, listing),
        "PRDY_VRSS": price - base,
        "PRDY_CTRT": decimal((price - base) * 100, base),
        "WGHN_AVRG_STCK_PRC": decimal(told.value, told.volume),
        "STCK_OPRC": today.open,
        "STCK_HGPR": today.high,
        "STCK_LWPR": today.low,
        "ASKP1": told.ask,
        "BIDP1": told.bid,
        "CNTG_VOL": told.qty,
        "ACML_VOL": told.volume,
        "ACML_TR_PBMN": told.value,
        "SELN_CNTG_CSNU": today.sells,
        "SHNU_CNTG_CSNU": today.buys,
        "NTBY_CNTG_CSNU": today.buys - today.sells,
        "CTTR": decimal(today.bought * 100, today.sold),
        "SELN_CNTG_SMTN": today.sold,
        "SHNU_CNTG_SMTN": today.bought,
        "CCLD_DVSN": told.taker,
        "SHNU_RATE": decimal(today.bought, today.bought + today.sold),
        "PRDY_VOL_VRSS_ACML_VOL_RATE": "0.00",
        "BSOP_DATE": day_text(told.ts),
        "NEW_MKOP_CLS_CODE": _MKOP[phase],
        "TRHT_YN": "Y" if listing.halt and not listing.is_interrupted else "N",
        "ASKP_RSQN1": book.ask_qtys[0],
        "BIDP_RSQN1": book.bid_qtys[0],
        "TOTAL_ASKP_RSQN": sum(book.ask_qtys),
        "TOTAL_BIDP_RSQN": sum(book.bid_qtys),
        "VOL_TNRT": "0.00",
        "PRDY_SMNS_HOUR_ACML_VOL": "0",
        "PRDY_SMNS_HOUR_ACML_VOL_RATE": "0.00",
        "HOUR_CLS_CODE": IN_SESSION,
        "VI_STND_PRC": listing.vi_reference,
        "MARKET_CLS_CODE": _SEGMENT[phase],
        "OPRC_HOUR": hour_text(today.opened),
        "OPRC_VRSS_PRPR_SIGN": sign(price, today.open),
        "OPRC_VRSS_PRPR": price - today.open,
        "HGPR_HOUR": hour_text(today.highest),
        "HGPR_VRSS_PRPR_SIGN": sign(price, today.high),
        "HGPR_VRSS_PRPR": price - today.high,
        "LWPR_HOUR": hour_text(today.lowest),
        "LWPR_VRSS_PRPR_SIGN": sign(price, today.low),
        "LWPR_VRSS_PRPR": price - today.low,
    }
    return _record(TRADE, values, day)


def book_record(listing: Listing, now: int, phase: Phase, day: date) -> str:
    """One H0STASP0 record of the width that the day has; in an auction with the expected price instead of levels."""
    book, base, is_auction = book_of(listing), listing.base, listing.is_auction(phase)
    asks, bids = (_NO_PRICES, _NO_PRICES) if is_auction else (book.asks, book.bids)
    expected = listing.expected if is_auction else 0
    values = {
        "MKSC_SHRN_ISCD": listing.instrument.symbol,
        "BSOP_HOUR": hour_text(now),
        "HOUR_CLS_CODE": hour_class(listing, phase),
        "TOTAL_ASKP_RSQN": sum(book.ask_qtys),
        "TOTAL_BIDP_RSQN": sum(book.bid_qtys),
        "ACML_VOL": listing.today.volume,
        "MARKET_CLS_CODE": _SEGMENT[phase],
        "ANTC_CNPR": expected,
        "ANTC_CNQN": book.ask_qtys[0] if is_auction else 0,
        "ANTC_VOL": listing.today.volume,
        "ANTC_CNTG_VRSS": expected - base,
        "ANTC_CNTG_VRSS_SIGN": sign(expected, base),
        "ANTC_CNTG_PRDY_CTRT": decimal((expected - base) * 100, base),
        "MID_PRC": (asks[0] + bids[0]) // 2,
        **dict(zip(_LEVELS, (*asks, *bids, *book.ask_qtys, *book.bid_qtys), strict=True)),
    }
    return _record(BOOK, values, day)


def operation_record(listing: Listing, event: str, reason: str, day: date) -> str:
    """One H0STMKO0 record. event: MKOP_CLS_CODE. reason: why trading stops, or blank."""
    values = {
        "MKSC_SHRN_ISCD": listing.instrument.symbol,
        "TRHT_YN": "Y" if listing.is_halted or (listing.halt and not listing.is_interrupted) else "N",
        "TR_SUSP_REAS_CNTT": reason or "(null)",
        "MKOP_CLS_CODE": event,
        "ANTC_MKOP_CLS_CODE": "",
        "MRKT_TRTM_CLS_CODE": "",
        "DIVI_APP_CLS_CODE": "",
        "ISCD_STAT_CLS_CODE": status_class(listing),
        "VI_CLS_CODE": "Y" if listing.is_interrupted else "N",
        "OVTM_VI_CLS_CODE": "N",
        "EXCH_CLS_CODE": "1",
    }
    return _record(OPERATION, values, day)


def status_class(listing: Listing) -> str:
    """ISCD_STAT_CLS_CODE: halted, or one on which credit is given."""
    return "58" if listing.is_halted else "55"


def _record(tr_id: str, values: Mapping[str, object], day: date) -> str:
    form, told = _form(tr_id, day, tuple(values))
    return form % told(values)


@cache
def _form(tr_id: str, day: date, names: tuple[str, ...]) -> tuple[str, Callable[[Mapping[str, object]], object]]:
    """A day's record with a place for each of these fields that it has, and what takes their values, in order.

    The other fields say what they say where nothing is known.
    """
    fields, given = FIELDS[tr_id][: width(tr_id, day)], frozenset(names)
    form = "^".join("%s" if name in given else _BLANK.get(name, "0") for name in fields)
    return form, itemgetter(*(name for name in fields if name in given))
