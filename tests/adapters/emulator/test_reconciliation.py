"""The balance and an independent reading of the notices say the same, to the won."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.emulator.driver import SAMSUNG, Driver

COMMISSION_PPB = 140_527
TAX_PPB = 2_000_000
ORDER, SIDE, QTY, PRICE, IS_FILL = 2, 4, 9, 10, 13

moves = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "cancel", "amend", "wait"]),
        st.integers(1, 60),
        st.integers(-6, 6),
        st.sampled_from(["00", "01", "11", "12", "13", "03"]),
    ),
    min_size=1,
    max_size=14,
)


def folded(notices: list[list[str]], cash: int) -> tuple[int, int]:
    """Cash and shares, from nothing but notices. Costs are floored on each order's running total."""
    shares, traded = 0, defaultdict[str, int](int)
    for notice in notices:
        if notice[IS_FILL] != "2":
            continue
        order, qty, amount = notice[ORDER], int(notice[QTY]), int(notice[QTY]) * int(notice[PRICE])
        is_sale = notice[SIDE] == "01"
        rates = [COMMISSION_PPB, TAX_PPB] if is_sale else [COMMISSION_PPB]
        before, after = traded[order], traded[order] + amount
        traded[order] = after
        cash += amount if is_sale else -amount
        cash -= sum(after * rate // 10**9 - before * rate // 10**9 for rate in rates)
        shares += -qty if is_sale else qty
    return cash, shares


def play(driver: Driver, steps: list[tuple[str, int, int, str]]) -> None:
    numbers: list[str] = []
    for what, qty, ticks, code in steps:
        last = int(driver.body("inquire-price")["output"]["stck_prpr"])
        if what in {"buy", "sell"}:
            answer = driver.order(what, qty, last + ticks * 100, code)
        elif numbers and what == "cancel":
            answer = driver.cancel(numbers[-1])
        elif numbers and what == "amend":
            answer = driver.amend(numbers[-1], last + ticks * 100)
        else:
            driver.wait(60 * 10**9)
            continue
        if answer["rt_cd"] == "0":
            numbers.append(answer["output"]["ODNO"])
        driver.wait(10 * 10**9)
    driver.wait(120 * 10**9)


@settings(max_examples=25, deadline=None)
@given(steps=moves, seed=st.integers(0, 9))
def test_the_balance_equals_an_independent_fold_of_the_notices(
    steps: list[tuple[str, int, int, str]], seed: int
) -> None:
    driver = Driver(seed=seed, ticks=6000).at("09:05")
    driver.listen()
    play(driver, steps)
    cash, shares = folded(driver.notices(), 10_000_000)
    rows, account = driver.balance()
    held = {row["pdno"]: int(row["hldg_qty"]) for row in rows}
    assert (int(account["prvs_rcdl_excc_amt"]), held.get(SAMSUNG, 0)) == (cash, shares)
    assert cash >= 0


def test_a_notice_that_is_lost_or_doubled_is_all_that_can_set_the_two_apart() -> None:
    for fault in ("notice-missing", "notice-twice"):
        driver = Driver(ticks=6000, faults={fault: 10**9}).at("09:05")
        driver.listen()
        assert driver.order("buy", 3, code="01")["rt_cd"] == "0"
        driver.wait(60 * 10**9)
        fills = [notice for notice in driver.notices() if notice[IS_FILL] == "2"]
        assert len(fills) % 2 == 0
        assert (not fills) == (fault == "notice-missing")
        assert driver.balance()[0][0]["hldg_qty"] == "3"
