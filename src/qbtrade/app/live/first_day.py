"""The first real day of a configuration, on which entries are slow enough for a person to follow each."""

import hashlib
from collections.abc import Iterable
from datetime import date

import msgspec
from msgspec.structs import replace

from qbtrade import __version__
from qbtrade.adapters.kis.environment import EnvKind
from qbtrade.app.live.carried import Journal
from qbtrade.app.plan import USUAL_SYMBOL, SimulationPlan
from qbtrade.app.strategies import LoadedStrategy
from qbtrade.domain.calendar import kst_date
from qbtrade.domain.events import OrderSending, SessionStarted
from qbtrade.domain.limits import RiskLimits


def configuration(plan: SimulationPlan, strategy: LoadedStrategy) -> str:
    """A digest of what decides how a session trades: program, strategy with its code, symbols, bars and limits."""
    symbols, limits = sorted(plan.symbols or (USUAL_SYMBOL,)), msgspec.structs.asdict(plan.limits)
    how = (strategy.name, strategy.digest, strategy.shown_params(), plan.interval, plan.order_kind)
    return hashlib.sha256(msgspec.json.encode((__version__, how, symbols, limits), order="sorted")).hexdigest()[:16]


def is_first_day(books: Iterable[Journal], digest: str, today: date) -> bool:
    """Whether no earlier day sent an order with real money under this configuration. books: newest first.

    Raises: FileError, JournalError.
    """
    for read in books:
        started = next(read(), None)
        if (
            isinstance(started, SessionStarted)
            and (started.mode, started.configuration) == (EnvKind.REAL.value, digest)
            and kst_date(started.ts) < today
            and any(isinstance(event, OrderSending) for event in read())
        ):
            return False
    return True


def limited(limits: RiskLimits) -> RiskLimits:
    """One order a minute. Exits and protective sells count, and are never held up."""
    return replace(limits, orders_per_minute=1)
