"""What a lost stream may not do to bars and prices, seen through real sockets and held against the emulator's tape."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.domain import events as ev
from qbtrade.domain.market import Bar, Quote, Trade
from tests.builders import MINUTE, SAMSUNG, SECOND
from tests.kis_market import KisMarket, kis_market, tape

HYNIX = "000660"
PAIR: dict[str, Any] = {"symbols": (SAMSUNG, HYNIX), "market": "KOSPI", "kind": "stock"}


def assert_whole(market: KisMarket, plan: EmulatorPlan, interval: int) -> None:
    """From the first bar on each symbol's bars are those of the tape: none missing, none twice, none wrong."""
    found = market.of(Bar)
    told = tape(plan, interval, max(bar.ts for bar in found))
    for symbol in {bar.symbol for bar in found}:
        bars = [replace(bar, told=False) for bar in found if bar.symbol == symbol]
        first, last = bars[0].start, bars[-1].start
        assert bars == [bar for start, bar in sorted(told[symbol].items()) if first <= start <= last]


@pytest.mark.parametrize("side", ["real", "paper"])
def test_after_an_outage_every_bar_is_that_of_the_tape(side: str, tmp_path: Path) -> None:
    changes: dict[str, Any] = {**PAIR, "speed": 40, "side": side, "calls_per_second": 20}
    with kis_market(tmp_path, **changes) as market:
        market.held = {SAMSUNG}  # prices that REST tells meanwhile are no trades of a bar
        market.until(lambda: len(market.of(Bar)) >= 2)
        market.kis.set_faults(zombie_slot=10**9)
        market.lose()
        market.until(lambda: bool(market.of(ev.FeedRestored)))
        assert market.of(ev.FeedRestored)[-1].ts - market.of(ev.FeedLost)[-1].ts > MINUTE
        seen = len(market.of(Bar))
        market.until(lambda: len(market.of(Bar)) >= seen + 6)
        assert_whole(market, EmulatorPlan(**changes), MINUTE)
        assert "gap-not-filled" not in market.alerts()


def test_bars_shorter_than_a_minute_are_made_whole_from_conclusions(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"speed": 10}
    with kis_market(tmp_path, interval=10 * SECOND, **changes) as market:
        market.until(lambda: len(market.of(Bar)) >= 2)
        market.lose()
        market.until(lambda: bool(market.of(ev.FeedRestored)))
        seen = len(market.of(Bar))
        market.until(lambda: len(market.of(Bar)) >= seen + 4)
        assert_whole(market, EmulatorPlan(**changes), 10 * SECOND)


def test_a_gap_that_rest_cannot_fill_leaves_bars_out_and_says_so(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"speed": 60}
    with kis_market(tmp_path, **changes) as market:
        market.until(lambda: len(market.of(Bar)) >= 2)
        market.lose()
        market.kis.set_faults(server_error=10**9)
        market.until(lambda: "gap-not-filled" in market.alerts())
        seen = len(market.of(Bar))
        market.until(lambda: len(market.of(Bar)) >= seen + 2)
        told = tape(EmulatorPlan(**changes), MINUTE, market.clock.now())[SAMSUNG]
        bars = market.of(Bar)
        assert all(replace(bar, told=False) == told[bar.start] for bar in bars)
        assert len({bar.start for bar in bars}) == len(bars) < len([s for s in told if s >= bars[0].start])


def test_prices_of_what_is_held_come_from_rest_while_the_stream_is_away(tmp_path: Path) -> None:
    with kis_market(tmp_path, speed=20, **PAIR) as market:
        market.held = {SAMSUNG}
        market.until(lambda: {trade.symbol for trade in market.of(Trade)} == {SAMSUNG, HYNIX})
        market.kis.set_faults(zombie_slot=10**9)
        market.lose()
        market.heard.clear()
        market.until(lambda: len(market.of(Trade)) >= 3)
        assert not market.of(ev.FeedRestored)
        assert {(trade.symbol, trade.qty) for trade in market.of(Trade)} == {(SAMSUNG, 0)}
        market.kis.set_faults(server_error=10**9)
        market.until(lambda: "no-price" in market.alerts())
        market.kis.set_faults(server_error=0, zombie_slot=0)
        market.until(lambda: bool(market.of(ev.FeedRestored)))
        market.heard.clear()
        market.until(lambda: {trade.symbol for trade in market.of(Trade)} == {SAMSUNG, HYNIX})
        assert all(trade.qty for trade in market.of(Trade))


def test_a_key_in_use_and_lines_that_break_lead_to_no_storm_of_connects(tmp_path: Path) -> None:
    with kis_market(tmp_path, speed=600, faults={"socket-drop": 10**9, "zombie-slot": 500_000_000}) as market:
        market.wait(40 * MINUTE)
        assert "stream-in-use" in market.alerts()
        connects = market.server.connections
        assert 3 <= connects <= 10 + 40 + 2
        assert connects == market.wire.stream.counts()["connects"]


@pytest.mark.parametrize("number", [40, 20], ids=["trades", "trades and quotes"])
def test_forty_symbols_of_trades_or_twenty_with_quotes_fit_beside_the_notices(number: int, tmp_path: Path) -> None:
    symbols = {f"{100_000 + 10 * n}" for n in range(number)}
    listed: dict[str, Any] = {"symbols": tuple(sorted(symbols)), "market": "KOSPI", "kind": "stock", "ticks": 2000}
    with kis_market(tmp_path, speed=10, side="paper", calls_per_second=20, **listed) as market:
        market.until(lambda: market.wire.stream.counts()["registrations"] == 41)
        market.until(lambda: {trade.symbol for trade in market.of(Trade)} == symbols)
        market.until(lambda: {quote.symbol for quote in market.of(Quote)} == symbols)  # of trades, where none fit
        assert market.alerts() == []
        market.lose()
        market.until(lambda: bool(market.of(ev.FeedRestored)))
        market.heard.clear()
        market.until(lambda: {trade.symbol for trade in market.of(Trade)} == symbols)
