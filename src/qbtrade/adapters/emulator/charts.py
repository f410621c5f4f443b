"""Minute and daily charts.

Source: KIS REST, inquire-time-itemchartprice, inquire-time-dailychartprice, inquire-daily-itemchartprice.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from typing import Final

from qbtrade.adapters.emulator.answers import Body, Refusal, Row, day_text, decimal, hour_text, row, success
from qbtrade.adapters.emulator.market import BarRow, Listing
from qbtrade.adapters.emulator.records import sign
from qbtrade.adapters.kis_fields import REST
from qbtrade.domain.calendar import MINUTE, kst_date, kst_ns

_OK: Final = "MCA00000"
_TODAY: Final = "inquire-time-itemchartprice"
_PAST: Final = "inquire-time-dailychartprice"
_DAILY: Final = "inquire-daily-itemchartprice"
_DAILY_PRICE: Final = "inquire-daily-price"
_DAILY_PRICES: Final = 30
ADJUSTED: Final = "0"
_PERIODS: Final = {"D": "%Y%m%d", "W": "%G%V", "M": "%Y%m", "Y": "%Y"}


class Charts:
    """Bars, newest first."""

    def today(self, now: int, listing: Listing, params: Mapping[str, str]) -> Body:
        """Today's minutes at or before an hour; the running minute stands under an hour that lies ahead."""
        asked = _moment(kst_date(now), params["FID_INPUT_HOUR_1"])
        bars = list(_ahead(listing, now, asked)) if asked > now else []
        bars += [bar for bar in reversed(listing.minutes) if bar.start <= asked and bar.start not in _starts(bars)]
        if params["FID_PW_DATA_INCU_YN"] == "Y":
            bars += [bar for minutes in reversed(listing.past_minutes.values()) for bar in reversed(minutes)]
        most = REST[_TODAY].rows[0]
        rows = [_minute(_TODAY, bar) for bar in bars[:most]]
        return success(_OK, output1=row(_TODAY, "output1", _summary(listing)), output2=rows)

    def past(self, now: int, listing: Listing, params: Mapping[str, str]) -> Body:
        """Minutes of a past day at or before an hour."""
        day = _day(params["FID_INPUT_DATE_1"], "FID_INPUT_DATE_1")
        minutes = listing.minutes if day == kst_date(now) else listing.past_minutes.get(day, [])
        last = _moment(day, params["FID_INPUT_HOUR_1"])
        bars = [bar for bar in reversed(minutes) if bar.start <= last]
        if params["FID_PW_DATA_INCU_YN"] == "Y":
            earlier = [before for before in listing.past_minutes if before < day]
            bars += [bar for before in reversed(earlier) for bar in reversed(listing.past_minutes[before])]
        rows = [_minute(_PAST, bar) for bar in bars[: REST[_PAST].rows[0]]]
        return success(_OK, output1=row(_PAST, "output1", _summary(listing)), output2=rows)

    def daily(self, now: int, listing: Listing, params: Mapping[str, str]) -> Body:
        """Days, weeks, months or years between two dates."""
        first, last = (_day(params[f"FID_INPUT_DATE_{n}"], f"FID_INPUT_DATE_{n}") for n in (1, 2))
        pattern = _PERIODS.get(params["FID_PERIOD_DIV_CODE"])
        if pattern is None:
            raise Refusal("OPSQ2001", rt_cd="2", note="FID_PERIOD_DIV_CODE")
        days = [(day, bar) for day, bar in _days(listing, now) if first <= day <= last]
        if params["FID_ORG_ADJ_PRC"] == ADJUSTED:
            days = [(day, _adjusted(listing, day, bar)) for day, bar in days]
        bars = list(_merged(days, pattern))[::-1]
        befores = [*[bar.close for _day, bar in bars[1:]], listing.days[0][1].open if listing.days else listing.base]
        rows = [
            _day_row(day, bar, before) for (day, bar), before in zip(bars, befores, strict=False)
        ][: REST[_DAILY].rows[0]]  # fmt: skip
        return success(_OK, output1=row(_DAILY, "output1", _daily_summary(listing)), output2=rows)

    def daily_price(self, now: int, listing: Listing, params: Mapping[str, str]) -> Body:
        """The newest thirty days, weeks or months. Both kinds are told as they traded."""
        pattern = _PERIODS.get(params["FID_PERIOD_DIV_CODE"])
        if pattern is None or params["FID_PERIOD_DIV_CODE"] == "Y":
            raise Refusal("OPSQ2001", rt_cd="2", note="FID_PERIOD_DIV_CODE")
        bars = list(_merged(_days(listing, now), pattern))[::-1]
        befores = [*(bar for _, bar in bars[1:]), None]
        rows = [_price_row(day, bar, before) for (day, bar), before in zip(bars, befores, strict=True)]
        return success(_OK, output=rows[:_DAILY_PRICES])


def _starts(bars: Iterable[BarRow]) -> set[int]:
    return {bar.start for bar in bars}


def _ahead(listing: Listing, now: int, asked: int) -> Iterator[BarRow]:
    """Minutes that have not come: flat at the last price, but the first carries the running minute."""
    last, value = listing.last, listing.today.value
    running = listing.minutes[-1] if listing.minutes and listing.minutes[-1].start == now - now % MINUTE else None
    start = asked - asked % MINUTE
    while start >= now - now % MINUTE:
        bar = BarRow(start, last, last, last, last, 0, value)
        if running:
            bar = BarRow(start, running.open, running.high, running.low, running.close, running.volume, value)
            running = None
        yield bar
        start -= MINUTE


def _days(listing: Listing, now: int) -> Iterator[tuple[date, BarRow]]:
    yield from listing.days
    today = kst_date(now)
    if listing.today.volume and (not listing.days or listing.days[-1][0] != today):
        yield today, listing.whole_day()


def _merged(days: Iterable[tuple[date, BarRow]], pattern: str) -> Iterator[tuple[date, BarRow]]:
    """Bars of each period, dated by its last day."""
    found: dict[str, tuple[date, BarRow]] = {}
    for day, bar in days:
        period = day.strftime(pattern)
        if period in found:
            _before, whole = found[period]
            bar = BarRow(  # noqa: PLW2901 (the sum so far)
                whole.start, whole.open, max(whole.high, bar.high), min(whole.low, bar.low), bar.close,
                whole.volume + bar.volume, whole.value + bar.value,
            )  # fmt: skip
        found[period] = (day, bar)
    yield from found.values()


def _minute(tr: str, bar: BarRow) -> Row:
    values = {
        "stck_bsop_date": day_text(bar.start), "stck_cntg_hour": hour_text(bar.start), "stck_prpr": bar.close,
        "stck_oprc": bar.open, "stck_hgpr": bar.high, "stck_lwpr": bar.low, "cntg_vol": bar.volume,
        "acml_tr_pbmn": bar.value,
    }  # fmt: skip
    return row(tr, "output2", values)


def _day_row(day: date, bar: BarRow, before: int) -> Row:
    values = {
        "stck_bsop_date": f"{day:%Y%m%d}", "stck_clpr": bar.close, "stck_oprc": bar.open, "stck_hgpr": bar.high,
        "stck_lwpr": bar.low, "acml_vol": bar.volume, "acml_tr_pbmn": bar.value, "flng_cls_code": "00",
        "prtt_rate": "0.00", "prdy_vrss_sign": sign(bar.close, before), "prdy_vrss": bar.close - before,
    }  # fmt: skip
    return row(_DAILY, "output2", values)


def _adjusted(listing: Listing, day: date, bar: BarRow) -> BarRow:
    first, high, low, close = (listing.adjusted(day, price) for price in (bar.open, bar.high, bar.low, bar.close))
    return BarRow(bar.start, first, high, low, close, bar.volume, bar.value)


def _price_row(day: date, bar: BarRow, before: BarRow | None) -> Row:
    close, volume = (before.close, before.volume) if before else (bar.open, bar.volume)
    values = {
        "stck_bsop_date": f"{day:%Y%m%d}", "stck_oprc": bar.open, "stck_hgpr": bar.high, "stck_lwpr": bar.low,
        "stck_clpr": bar.close, "acml_vol": bar.volume, "prdy_vrss_vol_rate": decimal(bar.volume * 100, volume),
        "prdy_vrss": bar.close - close, "prdy_vrss_sign": sign(bar.close, close),
        "prdy_ctrt": decimal((bar.close - close) * 100, close), "flng_cls_code": "00", "acml_prtt_rate": "0.00",
    }  # fmt: skip
    return row(_DAILY_PRICE, "output", values)


def _summary(listing: Listing) -> dict[str, object]:
    price, base = listing.last, listing.base
    return {
        "prdy_vrss": price - base,
        "prdy_vrss_sign": sign(price, base, listing),
        "prdy_ctrt": decimal((price - base) * 100, base),
        "stck_prdy_clpr": base,
        "acml_vol": listing.today.volume,
        "acml_tr_pbmn": listing.today.value,
        "hts_kor_isnm": listing.instrument.name,
        "stck_prpr": price,
    }


def _daily_summary(listing: Listing) -> dict[str, object]:
    today, before = listing.today, listing.days[-1][1] if listing.days else None
    return {
        **_summary(listing),
        "stck_shrn_iscd": listing.instrument.symbol,
        "prdy_vol": before.volume if before else 0,
        "stck_mxpr": listing.band.upper,
        "stck_llam": listing.band.lower,
        "stck_oprc": today.open,
        "stck_hgpr": today.high,
        "stck_lwpr": today.low,
        "stck_prdy_oprc": before.open if before else 0,
        "stck_prdy_hgpr": before.high if before else 0,
        "stck_prdy_lwpr": before.low if before else 0,
        "askp": listing.ask,
        "bidp": listing.bid,
    }


def _day(text: str, name: str) -> date:
    """A date; year 0 is as early as can be."""
    try:
        return date.min if text.startswith("0000") else date.fromisoformat(text.strip())
    except ValueError:
        raise Refusal("OPSQ2001", rt_cd="2", note=name) from None


def _moment(day: date, text: str) -> int:
    try:
        return kst_ns(day, time.fromisoformat(text.strip()))
    except ValueError:
        raise Refusal("OPSQ2001", rt_cd="2", note="FID_INPUT_HOUR_1") from None
