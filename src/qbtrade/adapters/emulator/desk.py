"""Answers of the trading TRs. Source: KIS REST, /uapi/domestic-stock/v1/trading."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from datetime import date, timedelta
from typing import Final

from qbtrade.adapters.emulator.answers import Body, Refusal, Row, date_text, decimal, hour_text, row, success, word
from qbtrade.adapters.emulator.balance import account_row, asset_rows, holding_rows, sellable_row, split
from qbtrade.adapters.emulator.broker import Broker
from qbtrade.adapters.emulator.checks import Checks
from qbtrade.adapters.emulator.faults import Faults
from qbtrade.adapters.emulator.market import Listing
from qbtrade.adapters.emulator.notices import BRANCH, SIDE, order_number
from qbtrade.adapters.emulator.orders import Action, Entry, Ticket
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.domain.calendar import Calendar, kst_date
from qbtrade.domain.order import OrderKind, Side

FOUND: Final = "KIOK0510"
NOTHING: Final = "KIOK0560"
API_ADDRESS: Final = "127.0.0.1"
HAND_ADDRESS: Final = "192.0.2.7"
_LATEST: Final = timedelta(days=92)
Params = Mapping[str, str]


class Desk:
    """What the holder of the account asks."""

    def __init__(
        self, side: Dialect, broker: Broker, checks: Checks, listings: Mapping[str, Listing],
        calendar: Calendar, faults: Faults,
    ) -> None:  # fmt: skip
        self._side, self._broker, self._checks, self._listings = side, broker, checks, listings
        self._calendar, self._faults = calendar, faults
        self._rows: dict[int, tuple[Entry, Row]] = {}
        self.answers: Mapping[str, Callable[[int, Params, str], Body]] = {
            "order-cash": self._order,
            "order-rvsecncl": self._revise,
            "inquire-psbl-rvsecncl": self._amendable,
            "inquire-daily-ccld": self._daily_orders,
            "inquire-balance": self._balance,
            "inquire-psbl-order": self._buying_power,
            "inquire-psbl-sell": self._sellable,
            "inquire-account-balance": self._assets,
        }
        """By the last part of the path; each takes now, parameters and the variant of the TR id."""

    def _order(self, now: int, params: Params, variant: str) -> Body:
        side = Side(variant.upper())
        code, venue = self._code(now, params)
        qty, price = _number(params["ORD_QTY"]), _number(params["ORD_UNPR"])
        ticket = Ticket(params["PDNO"].strip(), side, code, qty, price, venue)
        if ticket.kind is OrderKind.MARKET:
            ticket = Ticket(ticket.symbol, side, ticket.code, ticket.qty, 0, ticket.venue)
        entry = self._broker.place(ticket)
        paper = "40600000" if side is Side.BUY else "40590000"
        return self._taken(now, entry, paper)

    def _revise(self, now: int, params: Params, _variant: str) -> Body:
        original = self._broker.find(params["ORGN_ODNO"])
        takes_all = params["QTY_ALL_ORD_YN"] == "Y"
        qty = original.remaining if takes_all else _number(params["ORD_QTY"])
        if params["RVSE_CNCL_DVSN_CD"] == "02":
            return self._taken(now, self._broker.cancel(original, qty), "40620000")
        code, _venue = self._code(now, params)
        return self._taken(now, self._broker.amend(original, code, qty, _number(params["ORD_UNPR"])), "40610000")

    def _code(self, now: int, params: Params) -> tuple[str, str]:
        """Order code and venue, when such orders are taken. Raises: Refusal."""
        venue = params.get("EXCG_ID_DVSN_CD", "").strip() or "KRX"
        return self._checks.code(now, params["ORD_DVSN"], venue), venue

    def _taken(self, now: int, entry: Entry, paper: str) -> Body:
        output = {
            "KRX_FWDG_ORD_ORGNO": BRANCH[self._side],
            "ODNO": order_number(entry.number, self._side),
            "ORD_TMD": hour_text(now),
        }
        return success("APBK0013" if self._side == "real" else paper, output=output)

    def _amendable(self, now: int, params: Params, _variant: str) -> Body:
        sides = {"1": Side.SELL, "2": Side.BUY}
        asked = sides.get(params["INQR_DVSN_2"])
        rows = [
            self._amendable_row(entry)
            for entry in self._broker.open_entries()
            if entry.shown <= now and asked in {None, entry.ticket.side}
        ]
        return success(FOUND if rows else NOTHING, output=rows[::-1])

    def _amendable_row(self, entry: Entry) -> Row:
        values = {
            **self._common(entry), "rvse_cncl_dvsn_name": "" if entry.action is Action.NEW else "BUY AMEND*",
            "psbl_qty": entry.remaining, "excg_dvsn_cd": "02", "excg_id_dvsn_cd": "KRX", "excg_id_dvsn_name": "KRX",
            "mgco_aptm_odno": "", "stpm_cndt_pric": "0",
        }  # fmt: skip
        return row("inquire-psbl-rvsecncl", "output", values)

    def _common(self, entry: Entry) -> dict[str, object]:
        ticket = entry.ticket
        words = {"00": "limit", "01": "market"}
        return {
            "ord_gno_brno": BRANCH[self._side],
            "odno": order_number(entry.number, self._side),
            "orgn_odno": order_number(entry.original, self._side),
            "ord_dvsn_name": word(words.get(ticket.code, "other")),
            "pdno": ticket.symbol,
            "prdt_name": self._listings[ticket.symbol].instrument.name,
            "ord_qty": ticket.qty,
            "ord_unpr": ticket.price,
            "ord_tmd": hour_text(entry.ts),
            "tot_ccld_qty": entry.filled,
            "tot_ccld_amt": entry.amount,
            "sll_buy_dvsn_cd": SIDE[ticket.side],
            "ord_dvsn_cd": ticket.code,
        }

    def _daily_orders(self, now: int, params: Params, variant: str) -> Body:
        first, last = (_date(params[name]) for name in ("INQR_STRT_DT", "INQR_END_DT"))
        is_recent = first >= kst_date(now) - _LATEST
        found = [
            entry
            for day in self._trading_days(first, last) if is_recent == (variant == "within_3_months")
            for entry in _asked(self._broker.on_day(day), params)
        ]  # fmt: skip
        ordered = found if params["INQR_DVSN"] == "01" else found[::-1]
        hides = self._faults.hits("empty-rows")
        rows = [] if hides else [self._order_row(entry) for entry in ordered]
        filled, amount = sum(entry.filled for entry in found), sum(entry.amount for entry in found)
        totals = {
            "tot_ord_qty": sum(entry.ticket.qty for entry in found),
            "tot_ccld_qty": filled,
            "tot_ccld_amt": amount,
            "prsm_tlex_smtl": sum(self._broker.ledger.turnover(day).costs for day in {entry.day for entry in found}),
            "pchs_avg_pric": decimal(amount, filled, 4),
        }
        output2 = row("inquire-daily-ccld", "output2", totals)
        return success(FOUND if rows else NOTHING, output1=rows, output2=output2)

    def _trading_days(self, first: date, last: date) -> list[date]:
        known = sorted({entry.day for entry in self._broker.entries.values()})
        return [day for day in known if first <= day <= last]

    def _order_row(self, entry: Entry) -> Row:
        """The row of an order, made anew when something became of it since it was last asked for."""
        before, made = self._rows.get(entry.number, (None, {}))
        if entry != before:
            made = self._made_row(entry)
            self._rows[entry.number] = copy(entry), made
        return made

    def _made_row(self, entry: Entry) -> Row:
        told = "rejected" if entry.rejected else {Action.AMEND: "amended", Action.CANCEL: "canceled"}.get(entry.action)
        side = word("buy" if entry.ticket.side is Side.BUY else "sell")
        values = {
            **self._common(entry),
            "ord_dt": date_text(entry.day),
            "sll_buy_dvsn_cd_name": side + (f"{word(told)}*" if told else ""),
            "avg_prvs": decimal(entry.amount, entry.filled, 4),
            "cncl_yn": "Y" if entry.gone and entry.action is Action.NEW else "N",
            "cnc_cfrm_qty": entry.gone,
            "rmn_qty": entry.remaining,
            "rjct_qty": entry.rejected,
            "ordr_empno": entry_id(entry),
            "inqr_ip_addr": HAND_ADDRESS if entry.by_hand else API_ADDRESS,
            "ccld_cndt_name": {"1": "IOC", "2": "FOK"}.get(_condition(entry), "None"),
            "prdt_type_cd": "300",
            "excg_dvsn_cd": "02",
            "excg_id_dvsn_Cd": "KRX",
        }
        return row("inquire-daily-ccld", "output1", values)

    def _balance(self, now: int, _params: Params, _variant: str) -> Body:
        day, books = kst_date(now), self._broker.shown
        rows = holding_rows(books, self._listings, self._calendar, day, lambda s: self._broker.sellable(s, books))
        told = split(rows) if self._faults.hits("holding-split") else rows
        return success(FOUND, output1=told, output2=[account_row(books, self._listings, self._calendar, day)])

    def _buying_power(self, _now: int, params: Params, _variant: str) -> Body:
        cash, symbol = max(self._broker.buying_power(), 0), params["PDNO"].strip()
        values: dict[str, object] = {"ord_psbl_cash": cash, "nrcvb_buy_amt": cash, "max_buy_amt": cash}
        if symbol:
            listing = self._checks.listing(symbol)
            is_limit = params["ORD_DVSN"] in {"00", "02", "11", "12"} and params["ORD_UNPR"].strip()
            price = _number(params["ORD_UNPR"]) if is_limit else listing.band.upper
            qty = cash // max(price, 1)
            while qty and self._checks.reserve(symbol, price, qty) > cash:
                qty -= 1
            values |= {"psbl_qty_calc_unpr": price, "nrcvb_buy_qty": qty, "max_buy_qty": qty}
        return success(FOUND, output=row("inquire-psbl-order", "output", values))

    def _sellable(self, _now: int, params: Params, _variant: str) -> Body:
        listing = self._checks.listing(params["PDNO"])
        free = self._broker.sellable(listing.instrument.symbol)
        return success("KIOK0420", output=sellable_row(self._broker.ledger, listing, free))

    def _assets(self, _now: int, _params: Params, _variant: str) -> Body:
        classes, total = asset_rows(self._broker.shown, self._listings)
        return success(FOUND, output1=classes, output2=total)


def _condition(entry: Entry) -> str:
    return {"IOC": "1", "FOK": "2"}.get(entry.ticket.tif, "0")


def _asked(entries: Iterable[Entry], params: Params) -> Iterator[Entry]:
    side, symbol, number = params["SLL_BUY_DVSN_CD"], params["PDNO"].strip(), params["ODNO"].strip()
    state, one = params["CCLD_DVSN"], int(number) if number.isdigit() else 0
    for entry in entries:
        is_side = side in {"", "00"} or side == SIDE[entry.ticket.side]
        is_number = not number or one == entry.number
        is_state = entry.filled > 0 if state == "01" else entry.remaining > 0 if state == "02" else True
        if is_side and is_number and is_state and symbol in {"", entry.ticket.symbol}:
            yield entry


def entry_id(entry: Entry) -> str:
    """`ordr_empno`: which channel an order came through. What KIS writes there nobody has told."""
    return "HTS" if entry.by_hand else "OPENAPI"


def _number(text: str) -> int:
    plain = text.strip().partition(".")[0]
    if not plain:
        return 0
    if not (plain.isascii() and plain.isdigit()):
        raise Refusal("OPSQ2001", rt_cd="2", note=text.strip())
    return int(plain)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Refusal("OPSQ2001", rt_cd="2", note="INQR_STRT_DT, INQR_END_DT") from None
