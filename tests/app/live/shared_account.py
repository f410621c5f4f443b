"""A live session on virtual time, in front of the core of the local KIS, in an account that others use, too."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from qbtrade.adapters.emulator.core import Emulator
from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.adapters.emulator.wire import Reply, Request
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.app.chaos.account import Account
from qbtrade.app.chaos.disk import Disk
from qbtrade.app.chaos.fate import Board
from qbtrade.app.chaos.judge import Judge
from qbtrade.app.chaos.life import Life, Machine
from qbtrade.app.chaos.market import BASE, START, SYMBOL, played, stage
from qbtrade.app.chaos.plan import ChaosPlan
from qbtrade.app.chaos.run import ACCOUNT, BAR, CASH, environment
from qbtrade.app.chaos.world import World
from qbtrade.app.live.plan import LivePlan, Until
from qbtrade.app.live.run import begin
from qbtrade.app.live.session import LiveSession
from qbtrade.app.live.wire import Wire
from qbtrade.app.plan import Limits, SimulationPlan
from qbtrade.app.rules import load_rules
from qbtrade.app.status import NoScreen
from qbtrade.app.strategies import load_strategy
from qbtrade.domain import events as ev
from qbtrade.domain.calendar import KST, MINUTE, NS
from qbtrade.domain.market import Bar
from qbtrade.domain.message import Event
from qbtrade.engines.reconcile import Difference
from qbtrade.kernel.loop import StopRequest
from qbtrade.ports import Strategy

LIMITS = Limits(max_budget=1_000_000, daily_loss=100_000, max_entries=25, orders_per_minute=60)


class Once(Strategy):
    """Buys with the first bar, and wants more with each bar ever after when that is gone."""

    def on_bar(self, bar: Bar) -> None:
        """Buy."""
        if not self.desk.position(bar.symbol):
            self.desk.buy(bar.symbol, "once")


class Watcher(NoScreen):
    """Keeps the tables that were shown."""

    def __init__(self) -> None:
        self.tables: list[tuple[Difference, ...]] = []

    def on_table(self, found: tuple[Difference, ...], action: str) -> None:
        """Keep it."""
        del action
        self.tables.append(found)


class SharedAccount:
    """minutes: how long each session lasts. rates: of faults, ppb by name."""

    def __init__(self, side: Dialect = "real", *, minutes: int = 10, **rates: int) -> None:
        faults = {name.replace("_", "-"): rate for name, rate in rates.items()}
        self._plan = ChaosPlan(seed=3, side=side, trouble=1, calm=2 * minutes)
        asked = EmulatorPlan(side=side, symbols=(SYMBOL,), cash=CASH, seed=3, faults=faults)
        self.core = Emulator(asked, stage(self._plan, played(self._plan)))
        self.world = World(self._plan, self.core, START)
        self.disk, self._machine = Disk(), Machine()
        self._judge = Judge(Account(self.core, CASH), self.disk, LIMITS, lambda: self.world.now, {SYMBOL: BASE}, ())
        self.board = Board(lambda: self.world.now, self._judge.on_picture)
        self._environment, self._minutes = environment(self._plan, asked.credentials), minutes
        self.screen, self.sessions = Watcher(), list[LiveSession]()

    def later(self, minutes: float, fn: Callable[[], None]) -> None:
        """Let something happen so long after now."""
        self.world.at(self.world.now + int(minutes * MINUTE), fn)

    def trade(self, side: str, qty: int, symbol: str = SYMBOL, price: int = 0) -> None:
        """Somebody places an order in KIS's app, at the market's price when none is given."""
        self._control("POST", "orders", {"symbol": symbol, "side": side.upper(), "qty": qty, "price": price})

    def pay_in(self, krw: int) -> None:
        """Somebody pays in, or out with a negative number."""
        self._control("PUT", "cash", {"krw": krw})

    def set_faults(self, **rates: int) -> None:
        """Change what goes wrong, ppb by name."""
        self._control("PUT", "faults", {name.replace("_", "-"): rate for name, rate in rates.items()})

    def _control(self, method: str, what: str, said: dict[str, Any]) -> None:
        told = list[Reply]()
        self.world.request(Request(method, f"/emulator/{what}", {}, {}, msgspec.json.encode(said)), told.append)
        assert told
        assert told[0].answer is not None
        assert told[0].answer.body.startswith((b'{"number', b'{"done')), told[0].answer.body

    def session(self, strategy: str = "tests.app.live.shared_account:Once", **changes: Any) -> LiveSession:
        """Let one live from now to its end."""
        until = datetime.fromtimestamp((self.world.now + self._minutes * MINUTE) // NS, KST).time()
        plan = SimulationPlan(symbols=(SYMBOL,), interval=BAR, limits=LIMITS, cash=CASH)
        live, stop = LivePlan(plan, until=Until(at=until), **changes), StopRequest()
        life = Life(self.world, self._environment, self._machine, self._judge, None, self.board.gate)
        name = f"{len(self.sessions):04d}"
        with Wire(life, stop) as wire:
            parts = begin(
                live, wire, load_rules(), load_strategy(strategy, {}), self.disk.books(), account=ACCOUNT, run_id=name
            )
            store = self.disk.create(name, life.at_point)
            self._judge.born()
            session = LiveSession(parts, wire, store, self.board, self.screen, stop)
            self.sessions.append(session)
            session.run()
            store.close()
        return session

    def events(self) -> list[Event]:
        """What the newest session wrote down."""
        return list(next(iter(self.disk.books()))())

    def corrections(self) -> list[ev.BookCorrected]:
        """Of the newest session."""
        return [event for event in self.events() if isinstance(event, ev.BookCorrected)]

    def states(self) -> list[tuple[str, str, str]]:
        """How the newest session narrowed and widened trading: symbol, state, reason."""
        return [
            (event.symbol, event.state.value, event.reason)
            for event in self.events() if isinstance(event, ev.RiskStateChanged)
        ]  # fmt: skip

    def alerts(self) -> list[str]:
        """Codes of the newest session's alerts."""
        return [event.code for event in self.events() if isinstance(event, ev.Alert)]
