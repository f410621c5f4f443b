"""A base price that is not the close before, and what shares become with it."""

from datetime import date

import pytest
from msgspec.structs import replace

from qbtrade.adapters.kis.parse.orders import OrderHistory
from qbtrade.adapters.kis.parse.quotes import DailyBar
from qbtrade.app.live.base_price import Jumped, jumped, shares_now
from qbtrade.app.live.carried import REBASED, TOLD, Carried
from qbtrade.app.live.opening import Opening, opening
from qbtrade.app.live.shares_told import Told
from qbtrade.domain.events import Jump, Leftover
from qbtrade.domain.money import Costs
from tests.adapters.kis.order_rig import HYNIX
from tests.app.live.test_opening import a_balance
from tests.builders import SAMSUNG, TODAY, an_order, at

SPLIT = Jump(75_000, 15_000, TODAY.isoformat())


def bars(*closes: int) -> tuple[DailyBar, ...]:
    return tuple(DailyBar(date(2026, 11, day), each, each, each, each, 1) for day, each in enumerate(closes, 2))


def test_a_base_that_is_the_close_is_nothing() -> None:
    assert jumped(bars(75_000), bars(75_000), 75_000, 74_000) == (75_000, 75_000)


def test_a_base_beside_the_close_is_a_jump() -> None:
    assert jumped(bars(74_000, 75_000), bars(74_000, 75_000), 60_000, 0) == (75_000, 60_000)


def test_a_jump_on_a_day_between_is_found_in_the_adjusted_prices() -> None:
    close, base = jumped(bars(75_000, 15_100), bars(15_000, 15_100), 15_100, 0)
    assert (close, base) == (15_100, 3_020)  # as far apart as the shares have become


def test_prices_that_are_not_as_they_traded_do_not_hide_a_split() -> None:
    assert jumped(bars(15_000), bars(15_000), 15_000, 75_500) == (75_500, 15_000)
    assert jumped((), (), 15_000, 75_500) == (75_500, 15_000)
    assert jumped((), (), 70_000, 75_500) == (70_000, 70_000)


@pytest.mark.parametrize(
    ("jump", "own", "before", "theirs", "found"),
    [
        (SPLIT, 3, 3, 15, 15),
        (SPLIT, 2, 3, 15, 10),  # one of the old ones was somebody else's
        (SPLIT, 3, 3, 3, -1),  # the broker has not followed
        (SPLIT, 3, 3, 9, -1),
        (SPLIT, 3, 3, 0, -1),
        (Jump(75_000, 68_200, ""), 100, 100, 110, 110),  # one new for ten, on the grid
        (Jump(75_000, 150_000, ""), 3, 3, 1, 1),
    ],
)
def test_shares_become_what_the_broker_counts_where_the_price_says_so(
    jump: Jump, own: int, before: int, theirs: int, found: int
) -> None:
    assert shares_now(jump, own, before, theirs) == found


def begun(theirs: int, *told: Told) -> Opening:
    known = Carried(1_000_000, date(2026, 10, 30), positions={SAMSUNG: (3, 225_000)}, foreign={SAMSUNG: 1})
    jumps = Jumped({SAMSUNG: SPLIT}, {each.symbol: each for each in told})
    history = OrderHistory((), 0, 0, 0)
    return opening(known, a_balance(1_000_000, theirs), history, lambda _: Costs(0, 0), same_day=False, jumped=jumps)


def test_a_split_that_the_broker_shows_is_no_loss_and_its_correction_is_written_down() -> None:
    found = begun(20)
    assert (found.held, found.foreign[SAMSUNG], found.jumps) == ({SAMSUNG: (15, 225_000)}, 5, {})
    (correction,) = found.corrections
    assert (correction.what, correction.ours, correction.theirs, correction.qty) == (REBASED, 4, 20, 15)
    assert correction.reason == f"closed at 75,000, base 15,000 on {TODAY}"


def test_a_split_that_the_broker_does_not_show_stays_open() -> None:
    found = begun(4)
    assert (found.held, found.jumps, found.corrections) == ({SAMSUNG: (3, 225_000)}, {SAMSUNG: SPLIT}, ())


def test_what_a_person_says_of_it_counts_for_that_day_alone() -> None:
    said = Told(SAMSUNG, SPLIT.day, 2, 30_000, "seen in the app")
    found = begun(4, said)
    assert (found.held, found.foreign[SAMSUNG], found.jumps) == ({SAMSUNG: (2, 30_000)}, 2, {})
    assert [(each.what, each.reason) for each in found.corrections] == [(TOLD, "seen in the app")]
    assert begun(4, Told(SAMSUNG, "2026-01-02", 2, 30_000, "long ago")).jumps == {SAMSUNG: SPLIT}
    assert begun(4, Told(SAMSUNG, SPLIT.day, 5, None, "more than there are")).jumps == {SAMSUNG: SPLIT}


@pytest.mark.parametrize(("filled", "is_booked"), [(10, True), (11, False)])
def test_a_stock_beside_one_that_was_split_is_booked_by_the_totals_of_the_day_before(
    filled: int,
    is_booked: bool,  # noqa: FBT001
) -> None:
    left = [
        Leftover("L000001", an_order(qty=10, symbol=HYNIX), at("10:00")),
        Leftover("L000002", an_order("Q2", qty=1), at("10:00")),
    ]
    known = Carried(
        1_000_000, date(2026, 10, 30), {SAMSUNG: (3, 225_000)}, left, day_qty=3, day_amount=225_000, day_bought=225_000
    )
    balance = a_balance(250_000, 15)
    balance = replace(balance, holdings=(*balance.holdings, replace(balance.holdings[0], symbol=HYNIX, qty=10)))
    found = opening(
        known, balance, OrderHistory((), 0, 0, 0), lambda _: Costs(0, 0), same_day=False,
        earlier=OrderHistory((), 14, 3 + filled, 225_000 + filled * 74_000), jumped=Jumped({SAMSUNG: SPLIT}, {}),
    )  # fmt: skip
    assert (found.held.get(HYNIX) == (10, 740_000), found.held[SAMSUNG]) == (is_booked, (15, 225_000))
