"""Halts out of two sources: the stream is quick, REST ends what the stream forgot."""

from qbtrade.adapters.kis.events import MarketEvent, Operation
from qbtrade.adapters.kis.halts import Halts
from qbtrade.adapters.kis.parse.quotes import Price
from qbtrade.domain.events import Alert, SymbolHalted, SymbolResumed
from qbtrade.domain.instrument import Instrument, Kind, Market
from qbtrade.kernel.bus import Bus
from tests.adapters.kis.prices import a_price
from tests.builders import SAMSUNG, SECOND, a_trade, at
from tests.fakes import FakeMarket

NOON = at("12:00")
HYNIX, ECOPRO = "000660", "086520"


class TwoMarkets(FakeMarket):
    """One stock of KOSDAQ among those of KOSPI."""

    def instrument(self, symbol: str) -> Instrument:
        return Instrument(symbol, Market.KOSDAQ if symbol == ECOPRO else Market.KOSPI, Kind.STOCK)


class Watch:
    """Halts of three stocks and what they published, as (symbol, reason); a resumption with a minus before."""

    def __init__(self) -> None:
        bus = Bus()
        self.market, self.heard, self.alerts = TwoMarkets(bus), list[tuple[str, str]](), list[Alert]()
        bus.subscribe(SymbolHalted, lambda event: self.heard.append((event.symbol, event.reason)))
        bus.subscribe(SymbolResumed, lambda event: self.heard.append((event.symbol, f"-{event.reason}")))
        bus.subscribe(Alert, self.alerts.append)
        self.halts = Halts(bus, self.market, (SAMSUNG, HYNIX, ECOPRO))

    def stream(
        self, after: int = 0, *, symbol: str = SAMSUNG, halted: bool | None = False, vi: bool | None = False,
        event: MarketEvent | None = None,
    ) -> None:  # fmt: skip
        self.halts.on_operation(Operation(NOON + after * SECOND, symbol, halted, vi, event))

    def rest(self, after: int, price: Price, *, asked: int | None = None) -> None:
        asked_at = NOON + (after if asked is None else asked) * SECOND
        self.halts.on_price(NOON + after * SECOND, SAMSUNG, price, asked_at)


def test_the_stream_begins_and_ends_an_interruption_at_once() -> None:
    watch = Watch()
    watch.stream(vi=True)
    assert SAMSUNG in watch.halts
    watch.stream(1, vi=True)
    watch.stream(2)
    assert watch.heard == [(SAMSUNG, "vi"), (SAMSUNG, "-vi")]


def test_rest_ends_what_the_stream_began_only_a_while_later() -> None:
    watch = Watch()
    watch.stream(vi=True)
    watch.rest(9, a_price())
    assert SAMSUNG in watch.halts
    watch.rest(10, a_price())
    assert watch.heard[1:] == [(SAMSUNG, "-vi")]


def test_an_answer_to_a_question_older_than_the_streams_word_counts_for_nothing() -> None:
    watch = Watch()
    watch.stream(5)
    watch.rest(6, a_price(vi=True), asked=4)
    assert watch.heard == []


def test_rest_begins_and_ends_where_the_stream_says_nothing() -> None:
    watch = Watch()
    watch.rest(0, a_price(vi=True))
    watch.rest(1, a_price())
    watch.rest(2, a_price(status="58"))
    watch.rest(3, a_price(halted=True))
    watch.rest(4, a_price())
    assert watch.heard == [(SAMSUNG, "vi"), (SAMSUNG, "-vi"), (SAMSUNG, "trading-halt"), (SAMSUNG, "-trading-halt")]


def test_a_stock_stays_halted_while_anything_stands_against_it() -> None:
    watch = Watch()
    watch.stream(vi=True)
    watch.stream(1, vi=True, halted=True)
    watch.stream(2, halted=True)
    assert watch.heard == [(SAMSUNG, "vi")]
    watch.stream(3)
    assert watch.heard[1:] == [(SAMSUNG, "-trading-halt")]


def test_a_field_that_says_nothing_changes_nothing() -> None:
    watch = Watch()
    watch.stream(vi=True)
    watch.stream(1, vi=None, halted=None)
    assert watch.heard == [(SAMSUNG, "vi")]


def test_a_circuit_breaker_stops_every_stock_of_its_market_and_no_other() -> None:
    watch = Watch()
    watch.stream(event=MarketEvent.BREAKER)
    watch.stream(symbol=HYNIX, event=MarketEvent.BREAKER)
    assert watch.heard == [(SAMSUNG, "circuit-breaker"), (HYNIX, "circuit-breaker")]
    watch.stream(1800, symbol=HYNIX, event=MarketEvent.BREAKER_OVER)
    assert watch.heard[2:] == [(SAMSUNG, "-circuit-breaker"), (HYNIX, "-circuit-breaker")]
    assert ECOPRO not in watch.halts


def test_a_circuit_breaker_whose_end_went_by_is_over_when_the_market_trades() -> None:
    watch = Watch()
    watch.stream(event=MarketEvent.BREAKER)
    watch.market.trades[SAMSUNG] = a_trade(ts=NOON + 9 * SECOND)  # on its way when it began
    watch.rest(30, a_price())
    watch.market.trades[SAMSUNG] = a_trade(qty=0, ts=NOON + 40 * SECOND)  # a price of REST
    watch.rest(40, a_price())
    assert SAMSUNG in watch.halts
    watch.market.trades[SAMSUNG] = a_trade(ts=NOON + 1801 * SECOND)
    watch.rest(1802, a_price())
    assert SAMSUNG not in watch.halts


def test_a_sidecar_is_said_once_for_each_market_and_stops_nothing() -> None:
    watch = Watch()
    for symbol in (SAMSUNG, HYNIX, ECOPRO, SAMSUNG):
        watch.stream(symbol=symbol, event=MarketEvent.SELL_SIDECAR)
    watch.stream(300, event=MarketEvent.SELL_SIDECAR_OVER)
    assert [alert.text for alert in watch.alerts] == [
        "a SELL sidecar is on in KOSPI: programme orders of that side wait, plain orders go on",
        "a SELL sidecar is on in KOSDAQ: programme orders of that side wait, plain orders go on",
        "the SELL sidecar in KOSPI is over",
    ]
    assert watch.heard == []


def test_a_stock_that_is_not_traded_here_is_nothing() -> None:
    watch = Watch()
    watch.stream(symbol="111111", vi=True)
    assert watch.heard == []
