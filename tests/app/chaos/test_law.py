"""What the judge knows by itself agrees with the rules that ship, and with sums made by hand."""

from datetime import date, time

import pytest

from qbtrade.adapters.emulator.orders import Entry, Ticket
from qbtrade.app.chaos.law import COMMISSION, TAX, books, breach
from qbtrade.app.chaos.market import BASE, DAY, SYMBOL
from qbtrade.app.rules import instrument_for, load_rules
from qbtrade.domain.calendar import kst_ns
from qbtrade.domain.order import Side

NOON = kst_ns(DAY, time(12))


def entry(side: Side, filled: int, amount: int) -> Entry:
    return Entry(1, Ticket(SYMBOL, side, "00", 10, BASE), NOON, DAY, BASE, filled=filled, amount=amount)


def test_cash_and_shares_are_what_is_left_of_every_fill_after_commission_and_tax() -> None:
    bought, sold = entry(Side.BUY, 10, 750_000), entry(Side.SELL, 4, 302_000)
    cash, shares = books([bought, sold], 1_000_000)
    assert cash == 1_000_000 - 750_000 - 105 + 302_000 - 42 - 604
    assert shares == {SYMBOL: 6}


def test_the_rates_of_the_judge_are_those_of_the_rules_that_ship() -> None:
    rules = load_rules()
    instrument = instrument_for(rules, SYMBOL)
    assert rules.commission_ppb(instrument) == COMMISSION
    assert rules.tax_ppb(instrument, rules.calendar.settlement_day(DAY)) == TAX


@pytest.mark.parametrize("price", [1, 1_999, 2_005, 19_990, 49_950, 50_100, 199_900, 200_500, 501_000])
def test_the_price_steps_of_the_judge_are_those_of_the_rules_that_ship(price: int) -> None:
    rules = load_rules()
    ticks = rules.ticks(instrument_for(rules, SYMBOL), date(2026, 11, 2))
    for each in (price, price + 1):
        assert (breach(NOON, "BUY", each, each) == "") is ticks.on_grid(each)


def test_orders_outside_the_session_or_the_band_break_a_rule() -> None:
    assert breach(kst_ns(DAY, time(8, 59, 59)), "BUY", BASE, BASE) == "outside the session"
    assert breach(kst_ns(DAY, time(15, 25)), "BUY", 0, BASE) == "outside the session"
    assert breach(kst_ns(DAY, time(15, 25)), "SELL", 0, BASE) == ""
    assert breach(NOON, "BUY", 97_600, BASE) == "outside the band"
    assert breach(NOON, "SELL", 52_400, BASE) == "outside the band"
    assert breach(NOON, "BUY", 97_500, BASE) == breach(NOON, "SELL", 52_500, BASE) == ""
