"""How a session is joined to the broker, for whoever watches it."""

from qbtrade.app.live.latency import Latency
from qbtrade.app.live.wire import Wire
from qbtrade.app.status import WireStatus


def joined(wire: Wire, latency: Latency, stream: str, open_at: int, behind: int) -> WireStatus:
    """The wire now. stream: its state; open_at: of the market, UTC ns; behind: as LongMemory has it."""
    environment, budget = wire.environment, wire.caller.budget()
    return WireStatus(
        environment.kind.value, environment.account_tail, stream, wire.auth.expires(),
        budget.used, budget.allowed, max(open_at - wire.clock.now(), 0),
        latency.to_order, latency.to_ack, latency.to_fill, behind,
    )  # fmt: skip
