"""What every source of market data promises: the made market, a replay of files, and KIS's stream over real sockets.

The KIS stream alone cannot be read again, which is why no clause asks for that; it tells times in whole seconds.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.app.emulator import open_stage
from qbtrade.domain.calendar import iso_kst
from qbtrade.domain.market import Quote, Trade
from qbtrade.domain.message import Event
from tests.builders import MINUTE, SAMSUNG, SECOND, at
from tests.kis_market import kis_market
from tests.live_days import DAY

HYNIX: Final = "000660"
SYMBOLS: Final = frozenset({SAMSUNG, HYNIX})
MARKET: Final[dict[str, Any]] = {"symbols": (SAMSUNG, HYNIX), "market": "KOSPI", "kind": "stock"}
LASTS: Final = 3 * MINUTE


class Told(msgspec.Struct):
    """What a feed told from its first trade on, and the trades that the market had in that time, in whole seconds."""

    events: list[Event]
    market: list[Trade]

    @property
    def trades(self) -> list[Trade]:
        """As the market's: in whole seconds."""
        return [in_seconds(event) for event in self.events if isinstance(event, Trade)]


def in_seconds(trade: Trade) -> Trade:
    return Trade(trade.ts - trade.ts % SECOND, trade.symbol, trade.price, trade.qty)


def played() -> list[Trade]:
    """The market's trades from ten o'clock on."""
    begin = at("10:00", DAY)
    events = open_stage(EmulatorPlan(**MARKET)).events
    return [event for event in events if isinstance(event, Trade) and begin <= event.ts < begin + 4 * LASTS]


@contextmanager
def made(folder: Path) -> Iterator[Told]:
    del folder
    trades = played()
    yield Told(list(trades), [in_seconds(trade) for trade in trades])


@contextmanager
def replayed(folder: Path) -> Iterator[Told]:
    trades, path = played(), folder / "trades.csv"
    rows = (f"{iso_kst(trade.ts)},{trade.symbol},{trade.price},{trade.qty}" for trade in trades)
    path.write_text("\n".join(("ts,symbol,price,qty", *rows)) + "\n")
    stage = open_stage(EmulatorPlan(**{**MARKET, "source": (str(path),)}))
    yield Told(list(stage.events), [in_seconds(trade) for trade in trades])


@contextmanager
def streamed(folder: Path, **changes: Any) -> Iterator[Told]:
    with kis_market(folder, speed=15, **MARKET, **changes) as market:
        market.until(lambda: {trade.symbol for trade in market.of(Trade)} == SYMBOLS)
        first = {symbol: next(each for each in market.of(Trade) if each.symbol == symbol) for symbol in SYMBOLS}
        end = max(trade.ts for trade in first.values()) + LASTS
        market.until(lambda: {trade.symbol for trade in market.of(Trade) if trade.ts >= end} == SYMBOLS)
        heard = [each for each in market.of(Trade, Quote) if first[each.symbol].ts < each.ts < end]
        yield Told(heard, [trade for trade in map(in_seconds, played()) if first[trade.symbol].ts < trade.ts < end])


FEEDS: Final[dict[str, Callable[[Path], AbstractContextManager[Told]]]] = {
    "made": made,
    "replayed": replayed,
    "kis-real": streamed,
    "kis-paper": partial(streamed, side="paper", calls_per_second=20),
}


@pytest.fixture(scope="module", params=FEEDS)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with FEEDS[request.param](tmp_path_factory.mktemp("feed")) as told:
        yield told


def test_every_trade_of_the_market_is_told_once_and_nothing_else(told: Told) -> None:
    assert len(told.market) > 50
    for symbol in SYMBOLS:
        expected = [trade for trade in told.market if trade.symbol == symbol]
        assert [trade for trade in told.trades if trade.symbol == symbol] == expected


def test_time_never_goes_back_within_a_symbol(told: Told) -> None:
    for symbol in SYMBOLS:
        times = [trade.ts for trade in told.trades if trade.symbol == symbol]
        assert times == sorted(times)


def test_only_the_symbols_that_were_asked_for_are_told_at_prices_of_a_market(told: Told) -> None:
    assert {event.symbol for event in told.events if isinstance(event, Trade | Quote)} == SYMBOLS
    assert all(trade.price > 0 and trade.qty > 0 for trade in told.trades)
    quotes = [event for event in told.events if isinstance(event, Quote)]
    assert all(0 < quote.bid < quote.ask and quote.bid_qty > 0 and quote.ask_qty > 0 for quote in quotes)
