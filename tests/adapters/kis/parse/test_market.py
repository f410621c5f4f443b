from datetime import date, time

from qbtrade.adapters.kis.parse import market
from tests.adapters.kis.captured import own, recorded


def test_a_volatility_interruption_that_lasts_has_no_end() -> None:
    (found,) = market.interruptions(own("vi_status"))
    assert (found.symbol, found.active, found.kind, found.price) == ("005930", True, "1", 82_500)
    assert (found.began, found.ended) == (time(10, 5, 12), None)


def test_a_stock_is_known_by_its_short_code() -> None:
    found = market.stock_info(own("stock_info"))
    assert (found.symbol, found.name, found.market, found.group) == ("005930", "SAMSUNG", "STK", "ST")
    assert (found.halted, found.managed, found.on_nxt, found.delisting) == (False, False, True, None)


def test_recorded_holidays_know_the_election_day() -> None:
    found = {each.day: each for each in market.market_days(recorded("chk_holiday_20260601"))}
    assert not found[date(2026, 6, 3)].open
    assert found[date(2026, 6, 4)].open
    assert [day for day, each in found.items() if each.open and day.weekday() >= 5] == []
