"""One rehearsal from plan to report."""

import gc
import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from qbtrade import __version__
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.app import report as reports
from qbtrade.app.home import create, journals_dir, reports_dir
from qbtrade.app.never_trades import never_trades
from qbtrade.app.pace import Pacer
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.rules import load_rules
from qbtrade.app.snapshot import Snapshots, peak_bytes
from qbtrade.app.source import Source, open_source
from qbtrade.app.status import Screen
from qbtrade.app.strategies import LoadedStrategy, load_strategy
from qbtrade.app.warmup import past_of
from qbtrade.app.wiring import Engines, Setup, risk_limits, sim_broker
from qbtrade.domain.calendar import Phase, iso_kst, kst_date
from qbtrade.domain.events import Alert, CancelOrder, Level, Outcome, RiskState, SessionEnded, SessionStarted, Terms
from qbtrade.domain.market import Bar
from qbtrade.domain.order import OrderKind
from qbtrade.domain.rules import Rules
from qbtrade.errors import EngineFault, ExitCode, JournalError
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock, Stopwatch, wall_ns
from qbtrade.kernel.loop import SimLoop, StopRequest, merge

EXIT: Final = {
    Outcome.DONE: ExitCode.DONE,
    Outcome.HALTED: ExitCode.HALTED,
    Outcome.INTERRUPTED: ExitCode.INTERRUPTED,
    Outcome.FAULT: ExitCode.FAILED,
}
MARK_EVERY: Final = 30_000_000_000
NOT_PART_OF_THE_ID: Final = ("report", "speed", "status_every", "source", "origin")
"""Fields of the plan that change nothing of what happens; the source counts by its content."""


class SessionResult(msgspec.Struct, frozen=True):
    """What a rehearsal left behind."""

    report: dict[str, Any]
    report_path: Path
    run_id: str
    outcome: Outcome
    exit_code: ExitCode


def simulate(plan: SimulationPlan, home: Path, screen: Screen, stop: StopRequest) -> SessionResult:
    """Run a whole rehearsal and write its report.

    Raises: QbError before anything has run when the plan, its files or its places cannot be used; JournalError when the
    journal can no longer be written; EngineFault when a handler of ours raised, after the report has been written.
    """
    rules = load_rules()
    strategy = load_strategy(plan.strategy, plan.params)
    source = open_source(plan, rules)
    run_id = new_run_id()
    create(home)
    path = Path(plan.report) if plan.report else reports_dir(home) / f"{run_id}.json"
    reports.check_writable(path)
    journal_path = journals_dir(home) / f"{run_id}.sqlite3"
    store = SqliteJournal(journal_path)
    try:
        session = Session(plan, rules, source, strategy, store, screen, stop, run_id)
    except Exception:
        store.close()
        journal_path.unlink()
        raise
    try:
        outcome = session.run()
    finally:
        store.close()
    report = reports.made_from(journal_path)
    reports.write(report, path)
    if (fault := session.fault) is not None:
        raise EngineFault(f"{type(fault).__name__}: {fault}; the session was ended, its report is {path}") from fault
    return SessionResult(report, path, run_id, outcome, EXIT[outcome])


def new_run_id() -> str:
    """A name that sorts by time, KST, to the microsecond."""
    digits = "".join(c for c in iso_kst(wall_ns() // 1000 * 1000).partition("+")[0] if c.isdigit()).ljust(20, "0")
    return f"{digits[:8]}-{digits[8:14]}-{digits[14:20]}"


class Session:
    """The engines of one rehearsal, its data and its end."""

    def __init__(
        self,
        plan: SimulationPlan,
        rules: Rules,
        source: Source,
        strategy: LoadedStrategy,
        store: SqliteJournal,
        screen: Screen,
        stop: StopRequest,
        run_id: str,
    ) -> None:
        self._plan, self._rules, self._source, self._strategy = plan, rules, source, strategy
        self._screen, self._stop, self._run_id = screen, stop, run_id
        self._watch = Stopwatch()
        self.fault: Exception | None = None
        self._bus = Bus()
        self._clock = SimClock(rules.calendar.trading_day(kst_date(source.first)).spans[0].start)
        self._pacer = Pacer(plan.speed, stop)
        self._loop = SimLoop(self._bus, self._clock, stop)
        self._limits = risk_limits(plan, self._dearest_commission())
        setup = Setup(
            rules=rules, instruments=source.instruments, interval=source.interval, limits=self._limits, cash=plan.cash,
            made_of_bars=source.made_of_bars, durable=False, order_kind=OrderKind(plan.order_kind.upper()),
            commission_ppb=plan.commission_ppb, tax_ppb=plan.tax_ppb, bases=source.bases,
            mark_every=max(MARK_EVERY, source.interval if source.made_of_bars else 0),
        )  # fmt: skip
        self._engines = Engines(
            self._bus, self._clock, setup, store, sim_broker(plan.venue, plan.seed, sketched=source.made_of_bars)
        )
        self._symbols = tuple(instrument.symbol for instrument in source.instruments)
        hosted = strategy.build(self._engines.host, self._symbols)
        warm_up = strategy.warm_up(hosted)
        self._engines.host_strategy(hosted, warm_up)
        self._past = past_of(source, rules, warm_up)
        self._snapshots = Snapshots(self._engines, "simulation", self._symbols, idle=lambda: self._pacer.slept)

    def _dearest_commission(self) -> int:
        if self._plan.commission_ppb >= 0:
            return self._plan.commission_ppb
        return max(map(self._rules.commission_ppb, self._source.instruments))

    def run(self) -> Outcome:
        """Play the data to its end, to a stop or to a fault, and write the last row."""
        try:
            self._open()
            self._play()
            outcome = self._outcome()
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever an engine raises ends the session, not the report
            self.fault, outcome = error, Outcome.FAULT
            self._stop_after_fault(error)
        finally:
            gc.unfreeze()
        self._bus.publish(self._ended(outcome))
        return outcome

    def _stop_after_fault(self, error: Exception) -> None:
        """Say what happened and cancel what works, as far as the engines still can."""
        kind = type(error).__name__
        text = f"an engine failed ({kind}: {error}): the session ends here"
        with suppress(Exception):
            self._bus.publish(Alert(self._clock.now(), Level.CRITICAL, "engine-fault", text, "see what is left open"))
            self._cancel_everything()

    # the beginning

    def _open(self) -> None:
        engines = self._engines
        self._bus.publish(self._started())
        engines.journal.flush()
        for bar in self._past:
            engines.host.warm(bar)
        self._bus.subscribe(Bar, self._on_bar)
        engines.monitoring.start()
        engines.hours.start()
        self._say_what_can_never_trade()
        if self._plan.speed:
            self._clock.call_at(self._first_open(), self._on_status)
        gc.collect()
        gc.freeze()

    def _started(self) -> SessionStarted:
        plan = self._plan
        limits = msgspec.structs.asdict(self._limits)
        return SessionStarted(
            ts=self._clock.now(), session_id=self._session_id(), run_id=self._run_id, version=__version__,
            mode="simulation", symbols=self._symbols, strategy=self._strategy.name, seed=plan.seed,
            parameters=self._strategy.shown_params(),
            source=self._source.description, interval=self._source.interval, cash=plan.cash,
            limits={**limits, "daily_loss": self._limits.loss_limit}, assumptions=self._assumptions(),
        )  # fmt: skip

    def _assumptions(self) -> dict[str, int | str]:
        plan = self._plan
        made = (
            {} if plan.source else {f"mock_{name}": value for name, value in msgspec.structs.asdict(plan.mock).items()}
        )
        rates = {"commission_ppb": plan.commission_ppb, "tax_ppb": plan.tax_ppb}
        said = {name: value for name, value in rates.items() if value >= 0}
        return {**msgspec.structs.asdict(plan.venue), **made, **said, "order_kind": plan.order_kind}

    def _session_id(self) -> str:
        plan = {k: v for k, v in msgspec.structs.asdict(self._plan).items() if k not in NOT_PART_OF_THE_ID}
        parts = (__version__, plan, self._source.digest, self._strategy.digest)
        return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:16]

    def _say_what_can_never_trade(self) -> None:
        limits, cash, now = self._limits, self._plan.cash, self._clock.now()
        for symbol, last in self._source.first_prices().items():
            price = self._engines.host.entry_price(symbol, last)
            said = never_trades(symbol, limits, cash=cash, equity=cash, price=price, most=0, funds="--cash {}", ts=now)
            if said is not None:
                self._bus.publish(said)
                self._screen.on_notice(said.text, said.action)

    # the middle

    def _play(self) -> None:
        pace = self._pacer if self._plan.speed else None
        self._loop.run(merge(self._source.feeds()), pace)
        if self._stop.asked:
            self._cancel_everything()
        elif self._rules.calendar.is_trading_day(kst_date(self._clock.now())):
            self._loop.advance(self._rules.calendar.trading_day(kst_date(self._clock.now())).close)
        self._engines.portfolio.mark(self._clock.now())

    def _cancel_everything(self) -> None:
        orders, now = self._engines.orders, self._clock.now()
        self._engines.protection.rest()
        for symbol in orders.open_symbols():
            for order in orders.open_orders(symbol):
                self._bus.publish(CancelOrder(now, order.request.order_id, "session-stopped"))
        self._loop.advance(now + 4 * self._plan.venue.latency)

    def _on_bar(self, bar: Bar) -> None:
        self._screen.on_progress(bar.ts, self._source.first, self._source.last, self._snapshots.events())

    def _on_status(self, due: int) -> None:
        self._engines.journal.flush()  # what was shown is written
        self._screen.on_status(self._snapshots.take(due))
        self._engines.journal.flush()
        following = due + self._plan.status_every
        if self._engines.market.phase() in {Phase.CLOSED, Phase.AFTER_MARKET}:
            calendar = self._rules.calendar
            following = calendar.trading_day(calendar.next_day(kst_date(due))).open
        self._clock.call_at(following, self._on_status)

    def _first_open(self) -> int:
        return self._rules.calendar.trading_day(kst_date(self._source.first)).open

    # the end

    def _outcome(self) -> Outcome:
        if self._stop.asked:
            return Outcome.INTERRUPTED
        return Outcome.HALTED if self._engines.risk.state() is RiskState.HALTED else Outcome.DONE

    def _ended(self, outcome: Outcome) -> SessionEnded:
        reasons: dict[Outcome, Callable[[], str]] = {
            Outcome.INTERRUPTED: lambda: self._stop.reason,
            Outcome.HALTED: self._engines.risk.reason,
            Outcome.FAULT: lambda: f"{type(self.fault).__name__}: {self.fault}",
        }
        market = self._engines.market
        counts = {
            "trades": sum(map(market.count, self._symbols)), "bars": market.bars, "late": market.late,
            "out_of_order": market.out_of_order, "outside_session": market.outside, **self._source.counts(),
            **{f"quarantined {reason}": number for reason, number in sorted(market.quarantined.items())},
        }  # fmt: skip
        reason = reasons.get(outcome, str)()
        last = market.last_prices()
        return SessionEnded(self._clock.now(), outcome, reason, counts, last, self._timing(), self._terms(last))

    def _terms(self, last: dict[str, int]) -> dict[str, Terms]:
        """What one more round trip would cost."""
        market, portfolio, now = self._engines.market, self._engines.portfolio, self._clock.now()
        costs = {symbol: portfolio.costs_of(symbol, now) for symbol in last}
        return {
            symbol: Terms(market.ticks(symbol).size(price), costs[symbol].commission_ppb, costs[symbol].tax_ppb)
            for symbol, price in last.items()
        }

    def _timing(self) -> dict[str, int | float | str]:
        seconds, events = self._watch.seconds(), self._bus.delivered
        return {
            "wall_seconds": round(seconds, 3),
            "events": events,
            "events_per_second": round(events / seconds),
            "peak_memory_bytes": peak_bytes(),
        }
