"""Rows of the balance: holdings, and the account's cash today, tomorrow and the day after. Source: KIS TTTC8434R."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

from qbtrade.adapters.emulator.answers import Row, decimal, row, word
from qbtrade.adapters.emulator.ledger import Ledger
from qbtrade.adapters.emulator.market import Listing
from qbtrade.domain.calendar import Calendar

Listings = Mapping[str, Listing]
_ASSET_CLASSES: Final = 20


def holding_rows(
    books: Ledger, listings: Listings, calendar: Calendar, day: date, free: Callable[[str], int]
) -> list[Row]:
    """One row for each stock that is held, or was lately. free: shares that can be sold."""
    before = _before(calendar, day)
    rows = []
    for symbol, position in books.positions.items():
        last = listings[symbol].last
        worth, traded, earlier = position.qty * last, books.turnover(day, symbol), books.turnover(before, symbol)
        values = {
            "pdno": symbol,
            "prdt_name": listings[symbol].instrument.name,
            "trad_dvsn_name": word("cash"),
            "bfdy_buy_qty": earlier.bought_qty,
            "bfdy_sll_qty": earlier.sold_qty,
            "thdt_buyqty": traded.bought_qty,
            "thdt_sll_qty": traded.sold_qty,
            "hldg_qty": position.qty,
            "ord_psbl_qty": free(symbol),
            "pchs_avg_pric": decimal(position.cost, position.qty, 4),
            "pchs_amt": position.cost,
            "prpr": last,
            "evlu_amt": worth,
            "evlu_pfls_amt": worth - position.cost,
            "evlu_pfls_rt": decimal((worth - position.cost) * 100, position.cost),
            "evlu_erng_rt": decimal((worth - position.cost) * 100, position.cost, 8),
            "fltt_rt": decimal((last - listings[symbol].base) * 100, listings[symbol].base, 8),
            "bfdy_cprs_icdc": last - listings[symbol].base,
        }
        if position.qty or traded.sold_qty or earlier.sold_qty:
            rows.append(row("inquire-balance", "output1", values))
    return rows


def split(rows: Sequence[Row]) -> list[Row]:
    """Each holding of two shares or more in two rows, as KIS tells one that was bought in different ways."""
    told: list[Row] = []
    for each in rows:
        first = int(each["hldg_qty"]) // 2
        if not first:
            told.append(each)
            continue
        for qty in (first, int(each["hldg_qty"]) - first):
            share = {name: str(int(each[name]) * qty // int(each["hldg_qty"])) for name in ("pchs_amt", "ord_psbl_qty")}
            told.append({**each, **share, "hldg_qty": str(qty)})
    return told


def account_row(books: Ledger, listings: Listings, calendar: Calendar, day: date) -> Row:
    """The cash that has settled by today, the next day and the one after; and what all shares are worth."""
    last_day = calendar.previous_day(day) if not calendar.is_trading_day(day) else day
    today, before = books.turnover(day), books.turnover(_before(calendar, day))
    worth = sum(position.qty * listings[symbol].last for symbol, position in books.positions.items())
    cost = sum(position.cost for position in books.positions.values())
    values = {
        "dnca_tot_amt": books.cash_on(day),
        "nxdy_excc_amt": books.cash_on(calendar.next_day(last_day)),
        "prvs_rcdl_excc_amt": books.cash_on(calendar.settlement_day(last_day)),
        "bfdy_buy_amt": before.bought,
        "thdt_buy_amt": today.bought,
        "bfdy_sll_amt": before.sold,
        "thdt_sll_amt": today.sold,
        "bfdy_tlex_amt": before.costs,
        "thdt_tlex_amt": today.costs,
        "scts_evlu_amt": worth,
        "tot_evlu_amt": worth + books.cash,
        "nass_amt": worth + books.cash,
        "pchs_amt_smtl_amt": cost,
        "evlu_amt_smtl_amt": worth,
        "evlu_pfls_smtl_amt": worth - cost,
    }
    return row("inquire-balance", "output2", values)


def asset_rows(books: Ledger, listings: Listings) -> tuple[list[Row], Row]:
    """The account by class of asset, of which it holds shares alone, and its total. Source: KIS CTRP6548R."""
    worth = sum(position.qty * listings[symbol].last for symbol, position in books.positions.items())
    cost = sum(position.cost for position in books.positions.values())
    shares: dict[str, object] = {
        "pchs_amt": cost,
        "evlu_amt": worth,
        "evlu_pfls_amt": worth - cost,
        "real_nass_amt": worth,
    }
    shares["whol_weit_rt"] = decimal(worth * 100, worth + books.cash)
    total = {
        "pchs_amt_smtl": cost, "nass_tot_amt": worth + books.cash, "evlu_pfls_amt_smtl": worth - cost,
        "evlu_amt_smtl": worth, "tot_asst_amt": worth + books.cash, "tot_dncl_amt": books.cash, "dncl_amt": books.cash,
    }  # fmt: skip
    tr, others = "inquire-account-balance", _ASSET_CLASSES - 1
    return [row(tr, "output1", shares), *(row(tr, "output1", {}) for _ in range(others))], row(tr, "output2", total)


def sellable_row(books: Ledger, listing: Listing, free: int) -> Row:
    """What can be sold of one stock. Source: KIS TTTC8408R."""
    symbol = listing.instrument.symbol
    position, qty = books.positions.get(symbol), books.held(symbol)
    cost = position.cost if position else 0
    values = {
        "pdno": symbol,
        "prdt_name": listing.instrument.name,
        "cblc_qty": qty,
        "ord_psbl_qty": free,
        "pchs_avg_pric": decimal(cost, qty, 4),
        "pchs_amt": cost,
        "now_pric": listing.last,
        "evlu_amt": qty * listing.last,
        "evlu_pfls_amt": qty * listing.last - cost,
        "evlu_pfls_rt": decimal((qty * listing.last - cost) * 100, cost),
    }
    return row("inquire-psbl-sell", "output1", values)


def _before(calendar: Calendar, day: date) -> date:
    return calendar.previous_day(day)
