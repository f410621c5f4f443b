"""The last row of a live session, and what is left behind."""

from qbtrade.app.snapshot import peak_bytes
from qbtrade.app.wiring import Engines
from qbtrade.domain.events import Outcome, SessionEnded, Terms
from qbtrade.kernel.clock import Stopwatch


def ended(
    engines: Engines, symbols: tuple[str, ...], outcome: Outcome, reason: str, counts: dict[str, int], watch: Stopwatch
) -> SessionEnded:
    """Everything counted. counts: of the stream, which has its own view of what is late."""
    market, now = engines.market, engines.clock.now()
    seconds, events = max(watch.seconds(), 1e-9), engines.bus.delivered
    counted = {
        "trades": sum(map(market.count, symbols)), "bars": market.bars, "late": market.late,
        "out_of_order": market.out_of_order, "outside_session": market.outside,
        **{f"stream_{name}" if name == "late" else name: number for name, number in counts.items()},
        **{f"quarantined {why}": number for why, number in sorted(market.quarantined.items())},
    }  # fmt: skip
    timing = {
        "wall_seconds": round(seconds, 3), "events": events, "events_per_second": round(events / seconds),
        "peak_memory_bytes": peak_bytes(),
    }  # fmt: skip
    last = market.last_prices()
    return SessionEnded(now, outcome, reason, counted, last, {**timing}, _terms(engines, last, now))


def judged(engines: Engines, fault: Exception | None) -> tuple[Outcome, str] | None:
    """What a session that could not keep its word comes to, whatever else ended it; None for any other."""
    if engines.journal.trouble:
        return Outcome.FAULT, f"the journal is incomplete: {engines.journal.trouble}"
    return (Outcome.FAULT, f"{type(fault).__name__}: {fault}") if fault else None


def _terms(engines: Engines, last: dict[str, int], now: int) -> dict[str, Terms]:
    """What one more round trip would cost."""
    costs = {symbol: engines.portfolio.costs_of(symbol, now) for symbol in last}
    return {
        symbol: Terms(engines.market.ticks(symbol).size(price), costs[symbol].commission_ppb, costs[symbol].tax_ppb)
        for symbol, price in last.items()
    }
