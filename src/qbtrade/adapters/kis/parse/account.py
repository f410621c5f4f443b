"""Answers about the account: holdings and cash, what can be bought, what can be sold.

Source: PROTOCOL 5.6, 5.7.
"""

from collections.abc import Sequence

import msgspec

from qbtrade.adapters.kis.parse.envelope import Page, Row, all_rows, only
from qbtrade.errors import WireError


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of one stock. sellable: shares not in open sells. cost: KRW paid. last: KRW, 0 where unknown.

    credit: True for shares bought on a loan, which are a row of their own.
    """

    symbol: str
    name: str
    qty: int
    sellable: int
    cost: int
    last: int
    credit: bool


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What the account holds, in KRW. Sold-out rows are left out.

    cash: D+2 deposit, with which the book agrees. deposit: today's, tomorrow: D+1. stock_value: at last prices.
    net_assets: deposit of D+2 and stocks. bought, sold, costs: today's.
    """

    holdings: tuple[Holding, ...]
    cash: int
    deposit: int
    tomorrow: int
    stock_value: int
    net_assets: int
    bought: int
    sold: int
    costs: int
    loans: int

    @property
    def held(self) -> dict[str, int]:
        """All shares by symbol, those on credit, too."""
        held: dict[str, int] = {}
        for holding in self.holdings:
            held[holding.symbol] = held.get(holding.symbol, 0) + holding.qty
        return held


class BuyingPower(msgspec.Struct, frozen=True):
    """What an order may cost, in KRW and shares, without unsettled credit; then with it.

    Where both differ the account can slip into credit. price: what the quantities were computed with.
    """

    cash: int
    amount: int
    qty: int
    amount_on_credit: int
    qty_on_credit: int
    price: int


class Sellable(msgspec.Struct, frozen=True):
    """Shares of one stock: held, and not in open sells."""

    symbol: str
    held: int
    qty: int


def balance(pages: Sequence[Page], *, tells_sum: bool = True) -> Balance:
    """All pages of the balance. tells_sum: the first one says what all holdings cost together.

    Raises: WireError, also when a holding stands on two pages, which would count twice, or when the pages are of
    different moments, so that a holding between them may be lacking.
    """
    if not pages:
        raise WireError("inquire-balance", "no page")
    totals = pages[0].row("output2")
    _refuse_repeats(pages)
    holdings = tuple(each for each in all_rows(pages, "output1", _holding) if each.qty)
    if tells_sum:
        _refuse_torn(pages, holdings, totals.count_or_zero("pchs_amt_smtl_amt"))
    return Balance(
        holdings=holdings,
        cash=totals.whole("prvs_rcdl_excc_amt"),
        deposit=totals.whole("dnca_tot_amt"),
        tomorrow=totals.whole("nxdy_excc_amt"),
        stock_value=totals.count_or_zero("scts_evlu_amt"),
        net_assets=totals.whole_or_zero("nass_amt"),
        bought=totals.count_or_zero("thdt_buy_amt"),
        sold=totals.count_or_zero("thdt_sll_amt"),
        costs=totals.count_or_zero("thdt_tlex_amt"),
        loans=totals.count_or_zero("tot_loan_amt"),
    )


def buying_power(pages: Sequence[Page]) -> BuyingPower:
    """What can be bought. Raises: WireError."""
    row = only(pages).row("output")
    return BuyingPower(
        row.whole("ord_psbl_cash"),
        row.whole("nrcvb_buy_amt"),
        row.count("nrcvb_buy_qty"),
        row.whole("max_buy_amt"),
        row.count("max_buy_qty"),
        row.count_or_zero("psbl_qty_calc_unpr"),
    )


def sellable(pages: Sequence[Page]) -> Sellable:
    """What can be sold of one stock. Raises: WireError."""
    row = only(pages).row("output", "output1")
    return Sellable(row.text("pdno"), row.count("cblc_qty"), row.count("ord_psbl_qty"))


def _refuse_repeats(pages: Sequence[Page]) -> None:
    """One page may have several rows of a stock, bought in cash and on loans; no two pages have the same one."""
    seen = set[tuple[str, ...]]()
    for page in pages:
        here = {tuple(map(row.text, ("pdno", "trad_dvsn_name", "loan_dt"))) for row in page.rows("output1")}
        if seen & here:
            raise WireError(page.what, "a holding stands on two pages")
        seen |= here


def _refuse_torn(pages: Sequence[Page], holdings: Sequence[Holding], told: int) -> None:
    """Several pages have to add up to what the first one tells that all holdings cost, but for won of rounding.

    Whether that counts shares on loan, too, is not known.
    """
    costs = sum(each.cost for each in holdings), sum(each.cost for each in holdings if not each.credit)
    if len(pages) > 1 and told and all(abs(cost - told) > len(holdings) for cost in costs):
        raise WireError(pages[0].what, "its pages do not add up to its own total")


def _holding(row: Row) -> Holding:
    symbol = row.text("pdno")
    if not symbol:
        raise row.wrong("pdno", "is blank")
    return Holding(
        symbol=symbol,
        name=row.text("prdt_name"),
        qty=row.count("hldg_qty"),
        sellable=row.count("ord_psbl_qty"),
        cost=row.count("pchs_amt"),
        last=row.count_or_zero("prpr"),
        credit=bool(row.text("loan_dt").strip("0")),
    )
