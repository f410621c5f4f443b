"""Trades become bars; what is implausible is set aside and counted."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.app.rules import load_rules
from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import PhaseChanged, PriceTouched, SymbolHalted, SymbolResumed, TickQuarantined
from qbtrade.domain.instrument import DayTerms, PriceBand, TickTable
from qbtrade.domain.market import Bar, Quote, Trade
from qbtrade.domain.message import Event
from qbtrade.engines.market_data import MarketData
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from qbtrade.kernel.loop import SimLoop, StopRequest
from tests.builders import MINUTE, SAMSUNG, SECOND, TODAY, a_trade, at

RULES = load_rules()


class Desk:
    """Market data on a real bus, clock and loop, with everything it publishes."""

    def __init__(
        self, *, base: int = 0, spike: int = 100_000_000, interval: int = MINUTE, start: str = "08:30",
        terms: DayTerms | None = None,
    ) -> None:  # fmt: skip
        self.bus, self.clock = Bus(), SimClock(at(start))
        self.events = list[Event]()
        instrument = RULES.instrument(SAMSUNG)
        assert instrument is not None
        bases = {SAMSUNG: base} if base else None
        self.market = MarketData(
            self.bus, self.clock, RULES, (instrument,), interval=interval, bases=bases, spike=spike,
            terms={SAMSUNG: terms} if terms else None,
        )  # fmt: skip
        self.bus.subscribe(Trade, self.market.on_trade)
        self.bus.subscribe(Quote, self.market.on_quote)
        self.bus.subscribe(PhaseChanged, self.market.on_phase)
        self.bus.subscribe(SymbolHalted, self.market.on_halted)
        self.bus.subscribe(SymbolResumed, self.market.on_resumed)
        self.bus.subscribe_all((Bar, PriceTouched, TickQuarantined, SymbolHalted), self.events.append)
        self.loop = SimLoop(self.bus, self.clock, StopRequest())

    def play(self, *trades: Trade) -> list[Event]:
        self.events.clear()
        self.loop.run(trades)
        return list(self.events)

    def until(self, clock: str) -> list[Event]:
        self.events.clear()
        self.loop.advance(at(clock))
        return list(self.events)


def quarantined(events: list[Event]) -> list[str]:
    return [e.reason for e in events if isinstance(e, TickQuarantined)]


def test_a_bar_closes_at_the_end_of_its_interval_with_the_trades_inside_it() -> None:
    desk = Desk()
    desk.play(
        a_trade(75_000, 1, clock="09:00:10"),
        a_trade(75_200, 2, clock="09:00:20"),
        a_trade(74_900, 3, clock="09:00:30"),
        a_trade(75_100, 4, clock="09:00:59"),
    )
    assert desk.until("09:01") == [Bar(at("09:01"), SAMSUNG, at("09:00"), 75_000, 75_200, 74_900, 75_100, 10)]


def test_a_trade_on_the_boundary_opens_the_next_bar() -> None:
    desk = Desk()
    events = desk.play(a_trade(75_000, clock="09:00:30"), a_trade(75_100, clock="09:01"))
    assert [e.ts for e in events if isinstance(e, Bar)] == [at("09:01")]
    (bar,) = desk.until("09:02")
    assert isinstance(bar, Bar)
    assert (bar.start, bar.open) == (at("09:01"), 75_100)


def test_an_interval_without_a_trade_gives_no_bar() -> None:
    desk = Desk()
    desk.play(a_trade(clock="09:00:30"), a_trade(clock="09:05:30"))
    desk.until("09:10")
    assert desk.market.bars == 2


def test_bars_are_aligned_to_a_late_open() -> None:
    desk = Desk(interval=7 * MINUTE)
    exam = date(2026, 11, 19)
    desk.play(a_trade(ts=at("10:08", exam)))
    desk.market.close_bars()
    (bar,) = (e for e in desk.events if isinstance(e, Bar))
    assert (bar.start, bar.ts) == (at("10:07", exam), at("10:14", exam))


def test_the_last_bar_ends_with_the_session() -> None:
    desk = Desk(interval=60 * MINUTE)
    desk.play(a_trade(clock="15:29:59"))
    (bar,) = desk.until("15:30")
    assert (bar.ts, isinstance(bar, Bar)) == (at("15:30"), True)


@given(st.lists(st.tuples(st.integers(0, 6 * 3600), st.integers(70_000, 80_000), st.integers(0, 50)), min_size=1))
def test_bars_are_the_fold_of_their_trades(rows: list[tuple[int, int, int]]) -> None:
    desk = Desk(spike=0)
    trades = [a_trade(price, qty, ts=at("09:00") + second * SECOND) for second, price, qty in sorted(rows)]
    desk.play(*trades)
    desk.market.close_bars()
    expected = []
    for start in sorted({t.ts // MINUTE for t in trades}):
        inside = [t for t in trades if t.ts // MINUTE == start]
        prices = [t.price for t in inside]
        shape = (prices[0], max(prices), min(prices), prices[-1], sum(t.qty for t in inside))
        expected.append(Bar((start + 1) * MINUTE, SAMSUNG, start * MINUTE, *shape))
    assert [e for e in desk.events if isinstance(e, Bar)] == expected


def test_an_out_of_order_trade_adds_volume_and_range_to_the_open_bar_but_no_close() -> None:
    desk = Desk()
    desk.play(
        a_trade(75_000, 1, clock="09:00:10"), a_trade(75_100, 1, clock="09:00:30"), a_trade(75_500, 5, clock="09:00:20")
    )
    (bar,) = desk.until("09:01")
    assert isinstance(bar, Bar)
    assert (bar.high, bar.close, bar.volume) == (75_500, 75_100, 7)
    assert desk.market.out_of_order == 1


def test_a_late_trade_is_counted_and_kept_out_of_closed_bars() -> None:
    desk = Desk()
    desk.play(a_trade(clock="09:00:10"), a_trade(75_100, clock="09:01:10"), a_trade(79_000, clock="09:00:50"))
    (bar,) = desk.until("09:02")
    assert isinstance(bar, Bar)
    assert (bar.high, desk.market.late) == (75_100, 1)


def test_a_trade_that_comes_after_its_bar_was_shown_makes_no_second_bar_of_that_time() -> None:
    desk = Desk()
    desk.play(a_trade(ts=at("10:00:10"), price=75_000))
    desk.loop.advance(at("10:01:30"))
    desk.bus.publish(a_trade(ts=at("10:00:50"), price=75_100))
    desk.bus.publish(a_trade(ts=at("10:01:05"), price=75_200))
    desk.market.close_bars()
    bars = [event for event in desk.events if isinstance(event, Bar)]
    assert [bar.start for bar in bars] == [at("10:00"), at("10:01")]
    assert (bars[0].high, bars[1].low, desk.market.late) == (75_000, 75_200, 1)
    last = desk.market.last(SAMSUNG)
    assert last is not None
    assert last.price == 75_200


@pytest.mark.parametrize(("price", "qty"), [(0, 1), (-5, 1), (75_000, -1)])
def test_zero_and_negative_values_are_quarantined(price: int, qty: int) -> None:
    desk = Desk()
    assert quarantined(desk.play(a_trade(clock="10:00"), a_trade(price, qty, clock="10:01"))) == ["bad-value"]
    last = desk.market.last(SAMSUNG)
    assert last is not None
    assert last.price == 75_000


def test_a_print_beyond_the_price_band_is_quarantined() -> None:
    desk = Desk(base=75_000)
    assert quarantined(desk.play(a_trade(75_000, clock="10:00"), a_trade(97_600, clock="10:01"))) == ["off-band"]
    assert quarantined(desk.play(a_trade(97_500, clock="10:02", auction=True))) == []
    assert quarantined(desk.play(a_trade(52_400, clock="10:03"))) == ["off-band"]


def test_adjusted_history_of_bars_may_lie_one_percent_beyond_the_price_band() -> None:
    desk = Desk(base=75_000, spike=0)
    assert quarantined(desk.play(a_trade(98_252, clock="10:00"), a_trade(98_253, clock="10:01"))) == ["off-band"]
    assert quarantined(desk.play(a_trade(51_748, clock="10:02"), a_trade(51_747, clock="10:03"))) == ["off-band"]


def test_a_symbol_whose_price_base_changed_accepts_not_even_an_ordinary_price() -> None:
    desk, monday = Desk(), date(2026, 11, 23)
    desk.play(a_trade(75_000))
    desk.play(*(a_trade(15_000, ts=at(f"09:00:0{n}", monday)) for n in range(3)))
    desk.play(a_trade(75_000, ts=at("09:01", monday)))
    desk.market.watch(SAMSUNG, "a test", 70_000)
    desk.play(a_trade(75_000, ts=at("09:02", monday)))
    assert desk.market.quarantined == {"off-band": 3, "halted": 2}


def test_a_spike_is_set_aside_and_the_next_ordinary_print_goes_on() -> None:
    desk = Desk()
    events = desk.play(a_trade(75_000, clock="10:00"), a_trade(83_000, clock="10:01"), a_trade(75_100, clock="10:02"))
    assert quarantined(events) == ["spike"]
    assert desk.market.quarantined == {"spike": 1}


def test_exactly_ten_percent_is_no_spike_and_a_won_more_is() -> None:
    assert quarantined(Desk().play(a_trade(75_000, clock="10:00"), a_trade(82_500, clock="10:01"))) == []
    assert quarantined(Desk().play(a_trade(75_000, clock="10:00"), a_trade(82_501, clock="10:01"))) == ["spike"]


def test_three_far_prints_in_a_row_that_agree_are_the_new_level() -> None:
    desk = Desk()
    far = [a_trade(83_000 + 100 * n, clock=f"10:0{n + 1}") for n in range(3)]
    assert quarantined(desk.play(a_trade(75_000, clock="10:00"), *far)) == ["spike", "spike"]
    last = desk.market.last(SAMSUNG)
    assert last is not None
    assert last.price == 83_200


def test_far_prints_with_ordinary_ones_between_stay_spikes() -> None:
    desk = Desk()
    prices = [75_000, 83_000, 75_000, 83_000, 75_000, 83_000, 75_000, 83_000]
    events = desk.play(*(a_trade(price, clock=f"10:{n:02}") for n, price in enumerate(prices)))
    assert quarantined(events) == ["spike"] * 4


@given(st.lists(st.integers(60_000, 90_000), min_size=2, max_size=60))
def test_the_quick_path_never_lets_a_spike_through(prices: list[int]) -> None:
    desk = Desk()
    desk.play(*(a_trade(price, ts=at("10:00") + n * SECOND) for n, price in enumerate(prices)))
    last, strange, run, spikes = prices[0], 0, 0, 0
    for price in prices[1:]:
        if abs(price - last) * 10 > last:
            run = run + 1 if strange and abs(price - strange) * 10 <= strange else 1
            strange = price
            if run < 3:
                spikes += 1
                continue
        strange = run = 0
        last = price
    assert desk.market.quarantined.get("spike", 0) == spikes


def test_a_day_that_begins_beyond_the_band_halts_the_symbol_and_says_why() -> None:
    desk = Desk(base=226_500, spike=0)
    assert quarantined(desk.play(a_trade(51_000, clock="09:00"), a_trade(51_100, clock="09:01"))) == ["off-band"] * 2
    events = desk.play(a_trade(51_200, clock="09:02"), a_trade(51_300, clock="09:03"))
    assert [e.reason for e in events if isinstance(e, SymbolHalted)] == ["price-base-changed"]
    assert "226,500" in next(e.detail for e in events if isinstance(e, SymbolHalted))
    assert desk.market.halted(SAMSUNG) == "price-base-changed"
    assert desk.market.quarantined == {"off-band": 3, "halted": 1}
    assert desk.market.last(SAMSUNG) is None


def test_one_bad_first_print_halts_nothing() -> None:
    desk = Desk(base=75_000)
    desk.play(a_trade(7, clock="09:00"), *(a_trade(70_000, clock=f"09:0{n}") for n in range(1, 5)))
    assert (desk.market.halted(SAMSUNG), desk.market.quarantined, desk.market.count(SAMSUNG)) == (
        "",
        {"off-band": 1},
        4,
    )


def test_the_end_of_a_venues_halt_does_not_lift_ours() -> None:
    desk = Desk(base=226_500, spike=0)
    desk.play(*(a_trade(51_000, clock=f"09:0{n}") for n in range(3)))
    desk.bus.publish(SymbolHalted(at("09:05"), SAMSUNG, "vi", "2 minutes"))
    desk.bus.publish(SymbolResumed(at("09:07"), SAMSUNG, "vi"))
    assert desk.market.halted(SAMSUNG) == "price-base-changed"


def test_after_a_halt_any_price_inside_the_band_may_come_first() -> None:
    desk = Desk(base=75_000)
    desk.play(a_trade(75_000, clock="10:00"))
    desk.bus.publish(SymbolHalted(at("10:01"), SAMSUNG, "volatility-interruption", "2 minutes"))
    assert desk.market.halted(SAMSUNG) == "volatility-interruption"
    desk.bus.publish(SymbolResumed(at("10:03"), SAMSUNG, "volatility-interruption"))
    assert desk.market.halted(SAMSUNG) == ""
    assert quarantined(desk.play(a_trade(86_000, clock="10:03"))) == []


def test_the_base_of_a_day_is_the_last_price_of_the_day_before() -> None:
    desk = Desk()
    thursday = date(2026, 11, 18)
    desk.play(a_trade(70_000, ts=at("15:00", thursday)), a_trade(71_000, clock="09:00"))
    band = desk.market.band(SAMSUNG)
    assert band is not None
    assert (desk.market.base(SAMSUNG), band.upper, band.lower) == (70_000, 91_000, 49_000)


def test_trades_outside_of_the_session_or_of_unknown_symbols_are_counted_only() -> None:
    desk = Desk()
    desk.play(
        a_trade(clock="08:59"),
        a_trade(clock="15:30"),
        a_trade(ts=at("10:00", date(2026, 11, 21))),
        a_trade(symbol="000660"),
    )
    assert (desk.market.outside, desk.market.unknown, desk.market.last(SAMSUNG)) == (3, 1, None)


def test_a_watch_tells_once_when_a_trade_prints_at_or_below_its_level() -> None:
    desk = Desk()
    desk.play(a_trade(75_000, clock="10:00"))
    desk.market.watch(SAMSUNG, "me", 74_000)
    assert desk.play(a_trade(74_100, clock="10:00:01")) == []
    assert desk.play(a_trade(74_000, clock="10:00:02")) == [PriceTouched(at("10:00:02"), SAMSUNG, 74_000)]
    assert desk.play(a_trade(73_900, clock="10:00:03")) == []


def test_a_watch_can_be_called_off() -> None:
    desk = Desk()
    desk.play(a_trade(75_000, clock="10:00"))
    desk.market.watch(SAMSUNG, "me", 74_000)
    desk.market.watch(SAMSUNG, "me", 0)
    assert desk.play(a_trade(73_000, clock="10:00:02")) == []


def test_a_wake_tells_of_the_next_trade_once() -> None:
    desk = Desk()
    desk.play(a_trade(75_000, clock="10:00"))
    desk.market.wake(SAMSUNG)
    events = desk.play(a_trade(75_000, clock="10:00:01"), a_trade(75_000, clock="10:00:02"))
    assert events == [PriceTouched(at("10:00:01"), SAMSUNG, 75_000)]


def test_the_view_answers_what_is_known() -> None:
    desk = Desk()
    assert desk.market.phase() is Phase.CLOSED
    desk.bus.publish(PhaseChanged(at("09:00"), Phase.CONTINUOUS, TODAY.isoformat()))
    quote = Quote(at("09:00"), SAMSUNG, 74_900, 5, 75_000, 6)
    desk.bus.publish(quote)
    desk.bus.publish(Quote(at("09:00"), "000660", 1, 1, 2, 1))
    desk.play(a_trade(clock="09:00"))
    assert desk.market.phase() is Phase.CONTINUOUS
    assert desk.market.quote(SAMSUNG) == quote
    assert desk.market.ticks(SAMSUNG).size(75_000) == 100
    assert desk.market.instrument(SAMSUNG).symbol == SAMSUNG
    assert desk.market.last_prices() == {SAMSUNG: 75_000}
    assert desk.market.count(SAMSUNG) == 1


WIDE = DayTerms(TODAY, PriceBand(75_000, 30_000, 300_000), TickTable(((0, 500),)))


def test_what_the_venue_told_of_the_day_holds_before_the_first_trade_and_after_it() -> None:
    desk = Desk(base=75_000, terms=WIDE)
    assert (desk.market.band(SAMSUNG), desk.market.ticks(SAMSUNG)) == (WIDE.band, WIDE.ticks)
    assert quarantined(desk.play(a_trade(150_000))) == []
    assert (desk.market.band(SAMSUNG), desk.market.ticks(SAMSUNG)) == (WIDE.band, WIDE.ticks)


def test_a_print_beyond_the_told_limits_is_set_aside() -> None:
    narrow = DayTerms(TODAY, PriceBand(75_000, 70_000, 80_000), WIDE.ticks)
    assert quarantined(Desk(base=75_000, terms=narrow).play(a_trade(81_000))) == ["off-band"]
    assert quarantined(Desk(base=75_000).play(a_trade(81_000))) == []


def test_the_rules_tell_of_any_other_day() -> None:
    desk = Desk(base=75_000, terms=WIDE)
    desk.play(a_trade(75_000), a_trade(76_000, ts=at("09:30", date(2026, 11, 23))))
    assert desk.market.band(SAMSUNG) == PriceBand(75_000, 52_500, 97_500)
    assert desk.market.ticks(SAMSUNG).size(75_000) == 100
