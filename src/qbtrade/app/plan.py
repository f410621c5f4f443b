"""What a rehearsal is asked to do: the arguments of `qb simulate`, checked and typed."""

from typing import Final

import msgspec

USUAL_SYMBOL: Final = "005930"


class Limits(msgspec.Struct, frozen=True):
    """Risk limits of a session. Money in KRW, shares of a whole in ppb, times in ns.

    max_budget: money at work. daily_loss: 0 means half of max_budget. stop_loss: ppb below average cost; 0 switches
    it off.
    """

    max_budget: int = 100_000
    daily_loss: int = 0
    stop_loss: int = 30_000_000
    position_share: int = 50_000_000
    cash_share: int = 200_000_000
    max_entries: int = 10
    max_order_qty: int = 100_000
    collar: int = 30_000_000
    orders_per_minute: int = 30
    stale_after: int = 60_000_000_000
    duplicate_window: int = 1_000_000_000


class VenuePlan(msgspec.Struct, frozen=True):
    """Assumptions of the simulated exchange, each explained in docs/simulation.md.

    reject_rate, volume_share: ppb; latency: ns; slippage: ticks.
    """

    reject_rate: int = 0
    latency: int = 50_000_000
    slippage: int = 1
    volume_share: int = 100_000_000
    fill_model: str = "through"


class MockPlan(msgspec.Struct, frozen=True):
    """The made market.

    ticks: trades per symbol and day. price: KRW at which the first day opens, 0 for near 75,000. volatility: of a day,
    ppb of the price. first_day: ISO date, "" for the usual one.
    """

    scenario: str = "calm"
    ticks: int = 20_000
    days: int = 1
    price: int = 0
    volatility: int = 15_000_000
    first_day: str = ""


class SimulationPlan(msgspec.Struct, frozen=True):
    """One rehearsal.

    symbols: none for what the files hold, or for USUAL_SYMBOL. source: empty for the made market, else file paths.
    interval: ns of a bar, 0 for the source's own or one minute. start, end: UTC ns bounds of the data, 0 for all.
    speed: market seconds per machine second, 0 for as fast as possible. status_every: ns of market time.
    market, kind: said by the user for symbols that nobody knows. order_kind: limit or market, for entries and exits.
    commission_ppb, tax_ppb: instead of the dated rules when not negative. origin: what the days of `source` are called,
    "" where its files speak for themselves.
    """

    symbols: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    origin: str = ""
    strategy: str = "sma_cross"
    params: dict[str, str] = {}
    interval: int = 0
    cash: int = 10_000_000
    seed: int = 0
    limits: Limits = Limits()
    venue: VenuePlan = VenuePlan()
    mock: MockPlan = MockPlan()
    start: int = 0
    end: int = 0
    speed: int = 0
    status_every: int = 30_000_000_000
    report: str = ""
    skip_bad_rows: bool = False
    order_kind: str = "limit"
    market: str = ""
    kind: str = ""
    commission_ppb: int = -1
    tax_ppb: int = -1
