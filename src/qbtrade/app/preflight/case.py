"""What the checks look at: the configuration, the environment, the answers of KIS, each asked for once."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.call import Call
from qbtrade.adapters.kis.codes import CODES
from qbtrade.adapters.kis.environment import Environment, EnvKind
from qbtrade.adapters.kis.outcomes import Failed
from qbtrade.adapters.kis.parse.account import Balance
from qbtrade.adapters.kis.parse.quotes import Price
from qbtrade.app.asker import Asker
from qbtrade.app.config import Settings
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.preflight.rows import Finding, Lacking, fail, skip
from qbtrade.app.price_terms import Told, terms_of
from qbtrade.app.rules import instrument_for, load_rules
from qbtrade.app.wiring import risk_limits
from qbtrade.domain.calendar import Phase, kst_date
from qbtrade.domain.instrument import Instrument
from qbtrade.domain.limits import RiskLimits
from qbtrade.domain.rules import Rules
from qbtrade.errors import QbError
from qbtrade.kernel.clock import LiveClock

T = TypeVar("T")
UNKNOWN: Final = frozenset({"OPSQ2001", "APBK0656"})
"""Codes with which KIS answers a question about a stock that it does not know."""
LOG_HINT: Final = "Try again in a minute; see docs/preflight.md"


class Case:
    """Everything that is checked, as far as it could be had.

    folder: where .env and qb.toml stand. local: the emulator runs in this process. budget: KRW, 0 for as configured.
    dry_run: the session is to send no orders.
    clock: the market's time of the environment. trouble: why there are no settings or no environment.
    """

    def __init__(
        self,
        *,
        folder: Path,
        variables: Mapping[str, str],
        home: Path,
        kind: EnvKind,
        symbols: tuple[str, ...],
        budget: int,
        plan: SimulationPlan | None = None,
        dry_run: bool = False,
    ) -> None:
        self.folder, self.variables, self.home, self.dry_run = folder, variables, home, dry_run
        self.kind, self.symbols, self._budget, self._plan = kind, symbols, budget, plan
        self.clock, self.local = LiveClock(), False
        self.trouble: QbError | None = None
        self._settings: Settings | None = None
        self._environment: Environment | None = None
        self._asker: Asker | None = None
        self._told: set[str] = set()
        self._answers: dict[tuple[str, str], Any] = {}

    def configured(self, settings: Settings, kind: EnvKind, symbols: tuple[str, ...], *, local: bool) -> None:
        """The configuration could be read."""
        self._settings, self.kind, self.symbols, self.local = settings, kind, symbols, local

    def reached(self, environment: Environment, clock: LiveClock, asker: Asker) -> None:
        """There is an environment, with its clock, and somebody who asks it."""
        self._environment, self.clock, self._asker = environment, clock, asker

    @property
    def has_settings(self) -> bool:
        """The configuration could be read."""
        return self._settings is not None

    @property
    def has_environment(self) -> bool:
        """There is an environment in which nothing is mixed."""
        return self._environment is not None

    @property
    def settings(self) -> Settings:
        """What is configured. Raises: Lacking."""
        if self._settings is None:
            raise Lacking(skip("the configuration cannot be read"))
        return self._settings

    @property
    def environment(self) -> Environment:
        """The one environment. Raises: Lacking."""
        if self._environment is None:
            raise Lacking(skip("there is no KIS environment to use"))
        return self._environment

    @property
    def asker(self) -> Asker:
        """Who asks KIS. Raises: Lacking."""
        if self._asker is None:
            raise Lacking(skip("there is no KIS environment to use"))
        return self._asker

    @cached_property
    def plan(self) -> SimulationPlan:
        """What is asked for, with these symbols and this budget. Raises: Lacking."""
        plan = self._plan or self.settings.plan_defaults()
        budget = self._budget or plan.limits.max_budget
        return replace(plan, symbols=self.symbols, limits=replace(plan.limits, max_budget=budget))

    @property
    def rules(self) -> Rules:
        """The shipped market rules."""
        return load_rules()

    @property
    def today(self) -> date:
        """The market's KST date."""
        return kst_date(self.clock.now())

    def phase(self) -> Phase:
        """What the venue does now."""
        return self.rules.calendar.phase_at(self.clock.now())

    def ask(self, make: Callable[[Environment], Call[T]]) -> T:
        """What KIS answers; the same question is asked once. Raises: Lacking."""
        call = make(self.environment)
        found = self.answer(call)
        if not isinstance(found, Failed):
            return found
        if self.asker.silence:
            raise Lacking(skip(f"KIS does not answer: {self.asker.silence}"))
        if self.asker.token() is None and call.tr_id:
            raise Lacking(skip("KIS gives no access token"))
        advice = CODES.get(found.code)
        hint = advice.advice if advice else LOG_HINT
        raise Lacking(self._once(call.name, fail(f"KIS does not answer {call.name}: {found.reason}", hint)))

    def answer(self, call: Call[T]) -> T | Failed:
        """What KIS answers, or why it does not; the same question is asked once."""
        key = (call.name, repr(sorted(call.params.items())))
        if key not in self._answers:
            self._answers[key] = self.asker.ask(call)
        found: T | Failed = self._answers[key]
        return found

    def price(self, symbol: str) -> Price:
        """The stock now, with limits within which it can be traded. Raises: Lacking."""
        found = self.answer(calls.price(self.environment, symbol))
        if isinstance(found, Failed) and found.code in UNKNOWN:
            raise Lacking(self._once(symbol, fail(f"KIS does not know {symbol}: {found.reason}", "Check --symbol")))
        price = self.ask(lambda environment: calls.price(environment, symbol))
        if not 0 < price.lower <= price.base <= price.upper or price.tick <= 0:
            raise Lacking(self._once(symbol, fail(f"KIS tells no price limits of {symbol}", LOG_HINT)))
        return price

    def _once(self, what: str, finding: Finding) -> Finding:
        """The same failure once more is no other failure."""
        again = what in self._told
        self._told.add(what)
        return skip(finding.seen) if again else finding

    def told(self, symbol: str) -> Told:
        """Which prices an order may carry today. Raises: Lacking."""
        price = self.price(symbol)
        return terms_of(self.rules, self.instrument(symbol), self.today, price)

    def balance(self) -> Balance:
        """Holdings and cash. Raises: Lacking."""
        return self.ask(calls.balance)

    def instrument(self, symbol: str) -> Instrument:
        """What a symbol is: as shipped or said, else as KIS tells. Raises: UsageError, Lacking."""
        plan = self.plan
        known = self.rules.instrument(symbol)
        if known or symbol.startswith("Q") or (plan.market and plan.kind):
            return instrument_for(self.rules, symbol, plan.market, plan.kind)
        price = self.price(symbol)
        if not self.environment.capabilities.stock_info:
            market = "KOSDAQ" if "KOSDAQ" in price.market.upper() else "KOSPI"
            return instrument_for(self.rules, symbol, market, "STOCK")
        info = self.ask(lambda environment: calls.stock_info(environment, symbol))
        market = {"STK": "KOSPI", "KSQ": "KOSDAQ", "KNX": "KONEX"}.get(info.market, "")
        kind = {"ST": "STOCK", "EF": "ETF", "EN": "ETN"}.get(info.group, "")
        return instrument_for(self.rules, symbol, market, kind)

    def limits(self, symbol: str) -> RiskLimits:
        """The limits of a session that trades this symbol. Raises: Lacking."""
        plan = self.plan
        said = plan.commission_ppb
        return risk_limits(plan, said if said >= 0 else self.rules.commission_ppb(self.instrument(symbol)))
