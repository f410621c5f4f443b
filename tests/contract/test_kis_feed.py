"""The KIS feed on a local KIS, through real sockets: halts as the stream tells them."""

from pathlib import Path

from qbtrade.domain.events import SymbolHalted, SymbolResumed
from qbtrade.domain.message import Event
from tests.builders import SAMSUNG
from tests.kis_market import KisMarket, kis_market


def halts(market: KisMarket) -> list[tuple[type[Event], str]]:
    """What was heard of halts."""
    return [(type(each), each.reason) for each in market.of(SymbolHalted, SymbolResumed)]


def test_an_interruption_is_heard_over_the_stream_and_so_is_its_end(tmp_path: Path) -> None:
    with kis_market(tmp_path, "12:57", speed=60, scenario="crash", ticks=2000) as market:
        market.until(lambda: len(halts(market)) >= 1)
        assert market.market.halted(SAMSUNG) == "vi"
        market.until(lambda: len(halts(market)) >= 2)
    assert halts(market) == [(SymbolHalted, "vi"), (SymbolResumed, "vi")]


def test_a_circuit_breaker_is_heard_by_its_name(tmp_path: Path) -> None:
    with kis_market(tmp_path, "11:15", speed=240, scenario="halt", ticks=2000) as market:
        market.until(lambda: len(halts(market)) >= 2)
    assert halts(market) == [(SymbolHalted, "circuit-breaker"), (SymbolResumed, "circuit-breaker")]
