"""Answers about orders: the acknowledgement, the history of a day, what can still be changed.

Source: PROTOCOL 5.1, 5.3, 5.4, 5.5.
"""

from collections.abc import Sequence
from datetime import date, time
from functools import lru_cache

import msgspec

from qbtrade.adapters.kis.parse.envelope import Page, Row, all_rows, only
from qbtrade.domain.order import Side
from qbtrade.errors import WireError


class OrderAck(msgspec.Struct, frozen=True):
    """The broker took an order. order_no: of this order, amendment or cancel, without leading zeros.

    branch: what a later amendment or cancel must name. at: KST time of day, None where it cannot be read.
    """

    order_no: str
    branch: str
    at: time | None


class Sender(msgspec.Struct, frozen=True):
    """Who made an order, as far as its row tells. entry: `ordr_empno`, address: `inqr_ip_addr`; "" where blank."""

    entry: str = ""
    address: str = ""

    def __bool__(self) -> bool:
        return bool(self.entry or self.address)

    def differs(self, other: "Sender") -> bool:
        """Whether both tell something, and not the same."""
        pairs = ((self.entry, other.entry), (self.address, other.address))
        return any(mine and theirs and mine != theirs for mine, theirs in pairs)


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One order of a day as the broker tells it; amendments and cancels are rows of their own.

    original_no: the order that this row changes, or "". qty, filled_qty, open_qty, canceled_qty, rejected_qty: shares.
    price: KRW; 0 for a market order. filled_amount: KRW. code: the kind, see kis_fields.ORDER_CODES.
    """

    day: date
    at: time
    branch: str
    order_no: str
    original_no: str
    symbol: str
    side: Side
    code: str
    qty: int
    price: int
    filled_qty: int
    filled_amount: int
    open_qty: int
    canceled_qty: int
    rejected_qty: int
    sender: Sender = Sender()


class UnreadRow(msgspec.Struct, frozen=True):
    """A row of the history that could not be read. order_no: or "" when not even that can. problem: words."""

    order_no: str
    problem: str


class OrderHistory(msgspec.Struct, frozen=True):
    """Orders of some days and their totals, in shares and KRW. Paper may tell totals and no rows.

    is_torn: an order stood on two pages, so the list moved while it was turned over and another one may be missing.
    """

    rows: tuple[OrderRow, ...]
    ordered_qty: int
    filled_qty: int
    filled_amount: int
    unread: tuple[UnreadRow, ...] = ()
    is_torn: bool = False

    @property
    def lacks_rows(self) -> bool:
        """True when the totals speak of orders that no row shows: the rows prove nothing then."""
        return not self.rows and not self.unread and self.ordered_qty > 0


class LiveOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order that can still be amended or canceled. open_qty: shares that can."""

    at: time
    branch: str
    order_no: str
    original_no: str
    symbol: str
    side: Side
    code: str
    qty: int
    price: int
    filled_qty: int
    open_qty: int


def number(text: str) -> str:
    """An order number in the one form in which numbers are compared: without leading zeros; "" for none."""
    return text.strip().lstrip("0")


def order_ack(pages: Sequence[Page]) -> OrderAck:
    """The number under which an order, amendment or cancel was taken. Raises: WireError without one."""
    row = only(pages).row("output")
    order_no = number(row.text("odno"))
    if not order_no:
        raise row.wrong("odno", "is blank")
    try:
        at = row.clock("ord_tmd")
    except WireError:
        at = None  # the number alone proves the order
    return OrderAck(order_no, row.text("krx_fwdg_ord_orgno"), at)


def order_history(pages: Sequence[Page]) -> OrderHistory:
    """All pages of the order history, with the rows that cannot be read named apart. Raises: WireError."""
    if not pages:
        raise WireError("inquire-daily-ccld", "no page")
    totals = pages[0].row("output2")
    found = all_rows(pages, "output1", _known_row)
    told = [row for row in found if isinstance(row, OrderRow)]
    rows = _newest(told)
    return OrderHistory(
        rows,
        totals.count_or_zero("tot_ord_qty"),
        totals.count_or_zero("tot_ccld_qty"),
        totals.count_or_zero("tot_ccld_amt"),
        tuple(row for row in found if isinstance(row, UnreadRow)),
        is_torn=len(rows) < len(told),
    )


def _newest(rows: Sequence[OrderRow]) -> tuple[OrderRow, ...]:
    """One row of each order: of one that was told twice the row that was read last."""
    return tuple({(row.day, row.order_no): row for row in rows}.values())


def live_orders(pages: Sequence[Page]) -> tuple[LiveOrder, ...]:
    """All pages of the orders that can still be changed. Raises: WireError."""
    return all_rows(pages, "output", _live_order)


def _known_row(row: Row) -> OrderRow | UnreadRow:
    """The list is asked for again and again, and hardly one of its rows has changed meanwhile."""
    texts = row.texts()
    return _row_of(*texts) if texts else _order_row_or_not(row)


@lru_cache(maxsize=1024)
def _row_of(names: tuple[str, ...], values: tuple[str, ...]) -> OrderRow | UnreadRow:
    """The same texts make the same row."""
    return _order_row_or_not(Row("inquire-daily-ccld", dict(zip(names, values, strict=True))))


def _order_row_or_not(row: Row) -> OrderRow | UnreadRow:
    try:
        return _order_row(row)
    except WireError as error:
        try:
            return UnreadRow(_number(row), error.problem)
        except WireError:
            return UnreadRow("", error.problem)


def _order_row(row: Row) -> OrderRow:
    return OrderRow(
        day=row.day("ord_dt"),
        at=row.clock("ord_tmd"),
        branch=row.text("ord_gno_brno"),
        order_no=_number(row),
        original_no=number(row.text("orgn_odno")),
        symbol=_symbol(row),
        side=_side(row),
        code=row.text("ord_dvsn_cd"),
        qty=row.count("ord_qty"),
        price=row.count("ord_unpr"),
        filled_qty=row.count("tot_ccld_qty"),
        filled_amount=row.count("tot_ccld_amt"),
        open_qty=row.count("rmn_qty"),
        canceled_qty=row.count_or_zero("cnc_cfrm_qty", "cncl_cfrm_qty"),
        rejected_qty=row.count_or_zero("rjct_qty"),
        sender=Sender(row.text("ordr_empno"), row.text("inqr_ip_addr")),
    )


def _live_order(row: Row) -> LiveOrder:
    return LiveOrder(
        at=row.clock("ord_tmd"),
        branch=row.text("ord_gno_brno"),
        order_no=_number(row),
        original_no=number(row.text("orgn_odno")),
        symbol=_symbol(row),
        side=_side(row),
        code=row.text("ord_dvsn_cd"),
        qty=row.count("ord_qty"),
        price=row.count("ord_unpr"),
        filled_qty=row.count("tot_ccld_qty"),
        open_qty=row.count("psbl_qty"),
    )


def _number(row: Row) -> str:
    found = number(row.text("odno"))
    if not found:
        raise row.wrong("odno", "is blank")
    return found


def _symbol(row: Row) -> str:
    found = row.text("pdno")
    if not found:
        raise row.wrong("pdno", "is blank")
    return found


def _side(row: Row) -> Side:
    match row.text("sll_buy_dvsn_cd"):
        case "01":
            return Side.SELL
        case "02":
            return Side.BUY
        case _:
            raise row.wrong("sll_buy_dvsn_cd", "is neither 01 nor 02")
