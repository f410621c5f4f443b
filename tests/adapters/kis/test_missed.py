"""When a stream that stands is taken for one that does not bring what happens."""

from qbtrade.adapters.kis.missed import Missed
from tests.builders import SAMSUNG, SECOND, a_trade, at

HEARD, NOW = a_trade(clock="10:00"), at("10:01")


def test_volume_that_grows_while_the_stream_brings_nothing_proves_that_it_misses_trades() -> None:
    missed = Missed()
    looks = [missed.looked(SAMSUNG, HEARD, volume, NOW + after * SECOND) for after, volume in
             ((0, 100), (2, 101), (4, 101), (7, 105))]  # fmt: skip
    assert looks == [False, False, False, True]
    assert not missed.looked(SAMSUNG, HEARD, 105, NOW + 8 * SECOND)  # the next proof begins anew


def test_a_quiet_stock_that_does_not_trade_proves_nothing() -> None:
    missed = Missed()
    assert not any(missed.looked(SAMSUNG, HEARD, 100, NOW + after * SECOND) for after in range(60))


def test_a_trade_that_the_stream_brings_a_little_later_than_rest_is_none_that_it_missed() -> None:
    missed, later = Missed(), a_trade(clock="10:01")
    assert not missed.looked(SAMSUNG, HEARD, 100, NOW)
    assert not missed.looked(SAMSUNG, HEARD, 110, NOW + 2 * SECOND)
    assert not any(missed.looked(SAMSUNG, later, 110, NOW + after * SECOND) for after in (4, 8, 16))


def test_another_connection_begins_anew() -> None:
    missed = Missed()
    missed.looked(SAMSUNG, None, 100, NOW)
    missed.looked(SAMSUNG, None, 110, NOW + 2 * SECOND)
    missed.forget()
    assert not missed.looked(SAMSUNG, None, 120, NOW + 8 * SECOND)


def test_a_stock_is_doubted_until_the_stream_brings_a_trade_of_it_whatever_rest_shows() -> None:
    missed, shown = Missed(), a_trade(qty=0, clock="10:02")
    for after, volume in ((0, 100), (2, 110), (8, 120)):
        missed.looked(SAMSUNG, HEARD, volume, NOW + after * SECOND)
    assert missed.doubts(SAMSUNG, HEARD)
    assert missed.doubts(SAMSUNG, shown)
    assert not missed.doubts(SAMSUNG, a_trade(clock="10:03"))
    assert not missed.doubts(SAMSUNG, shown)
