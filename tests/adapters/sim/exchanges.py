"""A simulated exchange for tests: no slippage or refusals, and whole prints, unless a test says so."""

from random import Random

from qbtrade.adapters.sim.exchange import SimExchange
from qbtrade.adapters.sim.models import RandomRefusals, TickSlippage, VolumeShare, fill_rule
from qbtrade.domain.calendar import Phase
from qbtrade.domain.instrument import PriceBand
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderRequest
from tests.builders import at
from tests.fakes import BAND, TICKS

OPEN = at("09:00")
PPB = 10**9


def an_exchange(
    *,
    slippage: int = 0,
    rule: str = "through",
    share: int = PPB,
    refused: int = 0,
    sketched: bool = False,
    phase: Phase = Phase.CONTINUOUS,
) -> SimExchange:
    """An exchange in the given phase since 09:00."""
    exchange = SimExchange(
        slippage=TickSlippage(slippage),
        fill_rule=fill_rule(rule),
        volume=VolumeShare(share),
        refusals=RandomRefusals(refused, Random(0)),
        sketched=sketched,
    )
    exchange.on_phase(OPEN, phase)
    return exchange


def send(
    exchange: SimExchange,
    order: OrderRequest,
    *,
    last: Trade | None = None,
    clock: str = "10:00",
    band: PriceBand | None = BAND,
) -> list[Event]:
    """Let an order arrive at 10:00."""
    return list(exchange.submit(at(clock), order, band, TICKS, last))
