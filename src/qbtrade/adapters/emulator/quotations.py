"""Answers of the quotation TRs. Source: KIS REST, /uapi/domestic-stock/v1/quotations."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from itertools import islice
from typing import Final

from qbtrade.adapters.emulator.answers import Body, Refusal, Row, date_text, day_text, decimal, hour_text, row, success
from qbtrade.adapters.emulator.book import DEPTH, book_of
from qbtrade.adapters.emulator.charts import Charts
from qbtrade.adapters.emulator.market import Listing, Vi
from qbtrade.adapters.emulator.records import hour_class, operation_class, sign, status_class
from qbtrade.domain.calendar import Calendar, Phase, kst_date
from qbtrade.domain.instrument import Kind, Market

OK: Final = "MCA00000"
_PRINTS: Final = 30
_HOLIDAY_ROWS: Final = 24
_CTX: Final = 20
_MARKETS: Final = frozenset({"J", "UN"})
_STOCKS: Final = "300"
_LISTED: Final = 5_000_000_000
Params = Mapping[str, str]


class Quotations:
    """What is asked about stocks and days. phase: asks what the venue does now."""

    def __init__(self, listings: Mapping[str, Listing], calendar: Calendar, phase: Callable[[], Phase]) -> None:
        self._listings, self._calendar, self._phase = listings, calendar, phase
        charts = Charts()
        self.answers: Mapping[str, Callable[[int, Params], Body]] = {
            "inquire-price": self._price,
            "inquire-asking-price-exp-ccn": self._asking_price,
            "inquire-ccnl": self._conclusions,
            "inquire-time-itemconclusion": self._conclusions_by_time,
            "inquire-time-itemchartprice": lambda now, params: charts.today(now, self._listing(params), params),
            "inquire-time-dailychartprice": lambda now, params: charts.past(now, self._listing(params), params),
            "inquire-daily-itemchartprice": lambda now, params: charts.daily(now, self._listing(params), params),
            "inquire-daily-price": lambda now, params: charts.daily_price(now, self._listing(params), params),
            "chk-holiday": self._holidays,
            "market-time": self._market_time,
            "inquire-vi-status": self._vi_status,
            "search-info": self._info,
            "search-stock-info": self._stock_info,
        }
        """By the last part of the path."""

    def _listing(self, params: Params) -> Listing:
        if params["FID_COND_MRKT_DIV_CODE"] not in _MARKETS:
            raise Refusal("OPSQ2001", rt_cd="2", note="FID_COND_MRKT_DIV_CODE")
        listing = self._listings.get(params["FID_INPUT_ISCD"])
        if listing is None:
            raise Refusal("OPSQ2001", rt_cd="2", note="FID_INPUT_ISCD")
        return listing

    def _price(self, now: int, params: Params) -> Body:
        listing = self._listing(params)
        today, price, base = listing.today, listing.last, listing.base
        values = {
            "iscd_stat_cls_code": status_class(listing),
            "marg_rate": "20.00",
            "rprs_mrkt_kor_name": listing.instrument.market,
            "temp_stop_yn": "Y" if listing.halt and not listing.is_interrupted else "N",
            "stck_prpr": price,
            "prdy_vrss": price - base,
            "prdy_vrss_sign": sign(price, base, listing),
            "prdy_ctrt": decimal((price - base) * 100, base),
            "acml_tr_pbmn": today.value,
            "acml_vol": today.volume,
            "stck_oprc": today.open,
            "stck_hgpr": today.high,
            "stck_lwpr": today.low,
            "stck_mxpr": listing.band.upper,
            "stck_llam": listing.band.lower,
            "stck_sdpr": base,
            "wghn_avrg_stck_prc": decimal(today.value, today.volume),
            "rstc_wdth_prc": listing.band.upper - base,
            "aspr_unit": listing.ticks.size(price),
            "hts_deal_qty_unit_val": "1",
            "lstn_stcn": _LISTED,
            "hts_avls": price * _LISTED // 100_000_000,
            "stck_shrn_iscd": listing.instrument.symbol,
            "vi_cls_code": "Y" if listing.is_interrupted else "N",
            "ovtm_vi_cls_code": "N",
            "mrkt_warn_cls_code": "00",
            "mang_issu_cls_code": "N",
            "crdt_able_yn": "Y",
            **_extremes(listing, now),
        }
        return success(OK, output=row("inquire-price", "output", values))

    def _asking_price(self, now: int, params: Params) -> Body:
        listing, phase = self._listing(params), self._phase()
        book, is_auction, base = book_of(listing), listing.is_auction(phase), listing.base
        levels: dict[str, object] = {
            "aspr_acpt_hour": hour_text(now),
            "total_askp_rsqn": sum(book.ask_qtys),
            "total_bidp_rsqn": sum(book.bid_qtys),
            "ntby_aspr_rsqn": sum(book.bid_qtys) - sum(book.ask_qtys),
            "new_mkop_cls_code": operation_class(phase),
        }
        for level in range(DEPTH):
            levels[f"askp{level + 1}"] = 0 if is_auction else book.asks[level]
            levels[f"bidp{level + 1}"] = 0 if is_auction else book.bids[level]
            levels[f"askp_rsqn{level + 1}"] = book.ask_qtys[level]
            levels[f"bidp_rsqn{level + 1}"] = book.bid_qtys[level]
        expected = listing.expected if is_auction else 0
        ahead = {
            "antc_mkop_cls_code": "112" if hour_class(listing, phase) == "B" else "311",
            "stck_prpr": listing.last,
            "stck_oprc": listing.today.open,
            "stck_hgpr": listing.today.high,
            "stck_lwpr": listing.today.low,
            "stck_sdpr": base,
            "antc_cnpr": expected,
            "antc_cntg_vrss_sign": sign(expected, base),
            "antc_cntg_vrss": expected - base,
            "antc_cntg_prdy_ctrt": decimal((expected - base) * 100, base),
            "stck_shrn_iscd": listing.instrument.symbol,
            "vi_cls_code": "Y" if listing.is_interrupted else "N",
        }
        tr = "inquire-asking-price-exp-ccn"
        return success(OK, output1=row(tr, "output1", levels), output2=row(tr, "output2", ahead))

    def _conclusions(self, _now: int, params: Params) -> Body:
        listing = self._listing(params)
        newest = list(listing.prints)[: -_PRINTS - 1 : -1]
        rows = [
            row("inquire-ccnl", "output", {
                "stck_cntg_hour": hour_text(told.ts), "stck_prpr": told.price, "cntg_vol": told.qty,
                "tday_rltv": decimal(listing.today.bought * 100, listing.today.sold), **_change(told.price, listing),
            })
            for told in newest
        ]  # fmt: skip
        return success(OK, output=rows)

    def _conclusions_by_time(self, _now: int, params: Params) -> Body:
        listing, hour = self._listing(params), params["FID_INPUT_HOUR_1"]
        asked = (told for told in reversed(listing.prints) if not hour or hour_text(told.ts) <= hour)
        tr, today, rows = "inquire-time-itemconclusion", listing.today, []
        strength = decimal(today.bought * 100, today.sold)
        for told in islice(asked, _PRINTS):
            values = {
                "stck_cntg_hour": hour_text(told.ts), "stck_pbpr": told.price, "askp": told.ask, "bidp": told.bid,
                "tday_rltv": strength, "acml_vol": told.volume, "cnqn": told.qty,
                **_change(told.price, listing),
            }  # fmt: skip
            told_row = row(tr, "output2", values)
            rows.append({("stck_prpr" if name == "stck_pbpr" else name): text for name, text in told_row.items()})
        summary = {
            "stck_prpr": listing.last,
            "acml_vol": today.volume,
            "prdy_vol": listing.days[-1][1].volume if listing.days else 0,
            "rprs_mrkt_kor_name": listing.instrument.market,
            **_change(listing.last, listing),
        }
        return success(OK, output1=row(tr, "output1", summary), output2=rows)

    def _holidays(self, _now: int, params: Params) -> Body:
        text = params["CTX_AREA_NK"].strip() or params["BASS_DT"].strip()
        try:
            first = date.fromisoformat(text)
        except ValueError:
            raise Refusal("OPSQ2001", rt_cd="2", note="BASS_DT") from None
        days = [first + timedelta(days=ahead) for ahead in range(_HOLIDAY_ROWS)]
        known = [day for day in days if self._calendar.first <= day <= self._calendar.last]
        rest = f"{known[-1] + timedelta(days=1):%Y%m%d}" if known == days else ""
        body = success(OK if known else "KIOK0560", output=[self._holiday(day) for day in known])
        return {**body, "ctx_area_nk": rest.ljust(_CTX), "ctx_area_fk": params["BASS_DT"].ljust(_CTX)}

    def _holiday(self, day: date) -> Row:
        opens, is_weekday = self._calendar.is_trading_day(day), day.isoweekday() <= 5  # noqa: PLR2004 (Friday)
        is_open = "Y" if opens else "N"
        values = {
            "bass_dt": f"{day:%Y%m%d}", "wday_dvsn_cd": f"{day.isoweekday() % 7 + 1:02d}", "bzdy_yn": is_open,
            "tr_day_yn": "Y" if opens or not is_weekday else "N", "opnd_yn": is_open, "sttl_day_yn": is_open,
        }  # fmt: skip
        return row("chk-holiday", "output", values)

    def _market_time(self, now: int, _params: Params) -> Body:
        """Five trading days around the running or last one, and its hours."""
        calendar, today = self._calendar, kst_date(now)
        third = today if calendar.is_trading_day(today) else calendar.previous_day(today)
        second, fourth = calendar.previous_day(third), calendar.next_day(third)
        days = (calendar.previous_day(second), second, third, fourth, calendar.next_day(fourth))
        hours = calendar.trading_day(third)
        values = {f"date{place}": f"{day:%Y%m%d}" for place, day in enumerate(days, 1)} | {
            "today": f"{today:%Y%m%d}", "time": hour_text(now),
            "s_time": hour_text(hours.open), "e_time": hour_text(hours.close),
        }  # fmt: skip
        return success(OK, output1=row("market-time", "output1", values))

    def _vi_status(self, now: int, params: Params) -> Body:
        asked = params["FID_INPUT_ISCD"].strip()
        is_today = params["FID_INPUT_DATE_1"].strip() in {"", day_text(now)}
        found = [
            _vi_row(listing, vi, number)
            for symbol, listing in self._listings.items() if asked in {"", symbol} and is_today
            for number, vi in enumerate(listing.interruptions, start=1)
        ]  # fmt: skip
        return success(OK if found else "KIOK0560", output=found[::-1])

    def _info(self, _now: int, params: Params) -> Body:
        listing = self._listings.get(params["PDNO"].strip())
        if listing is None or params["PRDT_TYPE_CD"] != _STOCKS:
            raise Refusal("KIOK0560", rt_cd="7")
        symbol, name = listing.instrument.symbol, listing.instrument.name
        names = ("name", "name120", "abrv_name", "eng_name", "eng_name120", "eng_abrv_name")
        values = {"pdno": f"00000A{symbol}", "shtn_pdno": symbol, "std_pdno": symbol, "prdt_type_cd": _STOCKS}
        return success("KIOK0420", output=row("search-info", "output", values | {f"prdt_{key}": name for key in names}))

    def _stock_info(self, now: int, params: Params) -> Body:
        listing = self._listings.get(params["PDNO"].strip())
        if listing is None:
            raise Refusal("APBK0656")
        instrument = listing.instrument
        values = {
            "pdno": f"00000A{instrument.symbol}",
            "prdt_type_cd": params["PRDT_TYPE_CD"],
            "mket_id_cd": {Market.KOSPI: "STK", Market.KOSDAQ: "KSQ", Market.KONEX: "KNX"}[instrument.market],
            "scty_grp_id_cd": {Kind.STOCK: "ST", Kind.ETF: "EF", Kind.ETN: "EN"}[instrument.kind],
            "excg_dvsn_cd": "02",
            "lstg_stqt": _LISTED,
            "prdt_name": instrument.name,
            "prdt_abrv_name": instrument.name,
            "prdt_eng_name": instrument.name,
            "tr_stop_yn": "Y" if listing.is_halted else "N",
            "admn_item_yn": "N",
            "thdt_clpr": listing.last,
            "bfdy_clpr": listing.base,
            "clpr_chng_dt": f"{kst_date(now):%Y%m%d}",
            "cptt_trad_tr_psbl_yn": "N",
            "nxt_tr_stop_yn": "N",
        }
        return success("KIOK0510", output=row("search-stock-info", "output", values))


def _change(price: int, listing: Listing) -> dict[str, object]:
    base = listing.base
    return {
        "prdy_vrss": price - base,
        "prdy_vrss_sign": sign(price, base, listing),
        "prdy_ctrt": decimal((price - base) * 100, base),
    }


def _extremes(listing: Listing, now: int) -> dict[str, object]:
    """Highest and lowest price of the days that are known, told as those of 250 days, a year and 52 weeks."""
    days = listing.days or [(kst_date(now), listing.whole_day())]
    (top, highest), (bottom, lowest) = max(days, key=lambda row: row[1].high), min(days, key=lambda row: row[1].low)
    values: dict[str, object] = {}
    for name, day, price in (("hgpr", top, highest.high), ("lwpr", bottom, lowest.low)):
        on, change = date_text(day), decimal((listing.last - price) * 100, price)
        for head, tail in (("d250", "rate"), ("dryy", "rate"), ("w52", "ctrt")):
            values[f"stck_dryy_{name}" if head == "dryy" else f"{head}_{name}"] = price
            values[f"{head}_{name}_date"] = on
            values[f"{head}_{name}_vrss_prpr_{tail}"] = change
    return values


def _vi_row(listing: Listing, vi: Vi, number: int) -> Row:
    values = {
        "hts_kor_isnm": listing.instrument.name,
        "mksc_shrn_iscd": listing.instrument.symbol,
        "vi_cls_code": "N" if vi.ended else "Y",
        "bsop_date": day_text(vi.began),
        "cntg_vi_hour": hour_text(vi.began),
        "vi_cncl_hour": hour_text(vi.ended) if vi.ended else "000000",
        "vi_kind_code": "1",
        "vi_prc": vi.price,
        "vi_stnd_prc": vi.reference,
        "vi_dprt": decimal((vi.price - vi.reference) * 100, vi.reference),
        "vi_count": number,
    }
    return row("inquire-vi-status", "output", values)
