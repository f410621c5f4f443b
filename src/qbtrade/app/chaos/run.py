"""One seed from its first life to its verdict."""

from datetime import datetime
from functools import cache, partial
from random import Random
from typing import Final

import msgspec

from qbtrade.adapters.emulator.core import Emulator
from qbtrade.adapters.emulator.plan import Credentials, EmulatorPlan
from qbtrade.adapters.emulator.wire import Request
from qbtrade.adapters.kis.environment import CAPABILITIES, LIMITS, Environment, EnvKind, Secret
from qbtrade.app.chaos.audit import audited
from qbtrade.app.chaos.disk import Disk
from qbtrade.app.chaos.judge import Judge
from qbtrade.app.chaos.life import KilledError, Life, Machine
from qbtrade.app.chaos.limits import limits_of
from qbtrade.app.chaos.market import START, SYMBOL, stage
from qbtrade.app.chaos.plan import NATURE, SERVER, ChaosPlan
from qbtrade.app.chaos.world import World
from qbtrade.app.halt_flag import Halt
from qbtrade.app.live.carried import carried
from qbtrade.app.live.plan import LivePlan, Until
from qbtrade.app.live.run import begin
from qbtrade.app.live.session import LiveSession
from qbtrade.app.live.wire import Wire
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.rules import load_rules
from qbtrade.app.status import NoScreen
from qbtrade.app.strategies import LoadedStrategy, load_strategy
from qbtrade.domain.calendar import KST, MINUTE, NS, kst_date
from qbtrade.domain.money import PPB
from qbtrade.domain.rules import Rules
from qbtrade.errors import BrokerError, JournalError
from qbtrade.kernel.loop import StopRequest

CASH: Final = 10_000_000
BAR: Final = 10 * NS
MOST_LIVES: Final = 40
BLACKOUT: Final = 3 * MINUTE
ACCOUNT: Final = "chaos"


class Verdict(msgspec.Struct, frozen=True):
    """What became of a seed. broken: promises, in words. sometimes: how often rare things happened."""

    plan: ChaosPlan
    broken: tuple[str, ...]
    sometimes: dict[str, int]
    trace_hash: str
    lines: tuple[str, ...] = ()


class Board:
    """The halt flag of a virtual world. Implements board.Board."""

    def __init__(self) -> None:
        self.flag: Halt | None = None

    def halt(self) -> Halt | None:
        """The flag."""
        return self.flag

    def keep_halted(self, reason: str) -> tuple[str, ...]:
        """Set the flag."""
        self.flag = Halt(1, reason)
        return ()

    def taken_by(self) -> str:
        """Nobody takes an account over."""
        return ""

    def show(self, status: object, heeded: int) -> None:
        """Nobody looks."""

    def beat(self) -> bool:
        """Nobody listens."""
        return True


@cache
def _rules() -> Rules:
    return load_rules()


@cache
def _strategy(seed: int) -> LoadedStrategy:
    return load_strategy("qbtrade.app.chaos.strategy:Restless", {"seed": str(seed)})


class Run:
    """One seed. lives: the processes that there were, oldest first."""

    def __init__(self, plan: ChaosPlan, *, keeps_lines: bool = False) -> None:
        self._plan = plan
        server = {name: rate for name, rate in plan.rates.items() if name in SERVER}
        asked = EmulatorPlan(side=plan.side, symbols=(SYMBOL,), cash=CASH, seed=plan.seed, faults=server)
        core = Emulator(asked, stage(plan, _rules()))
        self._world = World(plan, core, START, keeps_lines=keeps_lines)
        self._disk, self._board, self._machine = Disk(), Board(), Machine()
        limits = limits_of(plan)
        self._judge = Judge(core, self._disk, limits, CASH, lambda: self._world.now)
        self._world.on_order = self._judge.look
        self._environment = environment(plan, asked.credentials)
        self._calm_at = START + plan.trouble * MINUTE
        self._end = self._calm_at + plan.calm * MINUTE
        session = SimulationPlan(symbols=(SYMBOL,), interval=BAR, limits=limits, cash=CASH, status_every=MINUTE)
        self._live_plan = LivePlan(session, until=Until(at=datetime.fromtimestamp(self._end // NS, KST).time()))
        self._rng = Random(f"{plan.seed}:fate")
        self.lives: list[Life] = []

    def verdict(self) -> Verdict:
        """Live until the end."""
        world = self._world
        self._plan_fate()
        for number in range(MOST_LIVES):
            if self._live(number):
                break
            self._rest()
        else:
            self._judge.broken.append(f"after {MOST_LIVES} starts the session still did not come to its end")
        healed = self._calm_at if self._plan.side == "real" else 0
        journals = [journal.read() for journal in self._disk.journals]
        told = [*self._judge.broken, *audited(journals, self._world.core.entries, healed), *self._judge.leaks(journals)]
        broken, sometimes = tuple(dict.fromkeys(told)), {**world.sometimes, **self._judge.sometimes()}
        rare = {name: times for name, times in sorted(sometimes.items()) if times}
        return Verdict(self._plan, broken, rare, world.trace_hash(), tuple(world.lines or ()))

    # what happens to the process

    def _plan_fate(self) -> None:
        world, rng, trouble = self._world, self._rng, self._plan.trouble * MINUTE
        world.at(self._calm_at, self._calm_down)
        if world.hits("halted"):
            begins = START + rng.randrange(trouble)
            world.at(begins, lambda: self._halt(begins))
            world.at(begins + rng.randrange(5 * NS, MINUTE), self._resume)
        if world.hits("blackout"):
            begins = START + rng.randrange(trouble)
            world.at(begins, lambda: self._set_faults({"ledger-busy": PPB}))
            world.at(min(begins + BLACKOUT, self._calm_at), lambda: self._set_faults({"ledger-busy": 0}))
        if world.hits("disk-full"):
            begins = START + rng.randrange(trouble)
            world.at(begins, lambda: self._disk.fill(is_full=True))
            world.at(begins + rng.randrange(NS, MINUTE), lambda: self._disk.fill(is_full=False))

    def _calm_down(self) -> None:
        self._world.is_calm = True
        self._resume()
        self._disk.fill(is_full=False)
        self._set_faults({name: 0 for name in SERVER if name not in NATURE})

    def _set_faults(self, rates: dict[str, int]) -> None:
        body = msgspec.json.encode(rates)
        self._world.request(Request("PUT", "/emulator/faults", {}, {}, body), lambda _reply: None)

    def _halt(self, now: int) -> None:
        self._board.flag, self._judge.halted_at = Halt(now, "chaos"), now

    def _resume(self) -> None:
        self._board.flag, self._judge.halted_at = None, 0

    def _rest(self) -> None:
        """The time until somebody starts qb again."""
        until = self._world.now + self._rng.randrange(NS, 30 * NS)
        while self._world.step(until):
            pass

    # its lives

    def _live(self, number: int) -> bool:
        """One life; True when none follows."""
        crashes, world = self._plan.crashes, self._world
        crash = crashes[number] if number < len(crashes) else None
        life = Life(world, self._environment, self._machine, self._judge, crash)
        self.lives.append(life)
        world.note("born", str(number))
        try:
            session = self._trade(life, f"{number:04d}")
        except KilledError:
            if crash is not None and crash.power:
                self._disk.lose_power(self._rng)
            return False
        except (BrokerError, JournalError) as error:
            world.note("refused", f"{type(error).__name__}: {error.message}")
            world.sometimes[f"start or end refused: {type(error).__name__}"] += 1
            return False
        except Exception as error:  # noqa: BLE001 - whatever it is, a promise is broken
            self._judge.broken.append(f"qb raised {type(error).__name__}: {error}")
            return True
        if session.fault is not None:
            self._judge.broken.append(f"an engine raised {type(session.fault).__name__}: {session.fault}")
            return True
        if world.now >= self._end:
            self._compare(session)
        return world.now >= self._end

    def _trade(self, life: Life, name: str) -> LiveSession:
        stop, rules, strategy = StopRequest(), _rules(), _strategy(self._plan.seed)
        with Wire(life, stop) as wire:
            books = self._disk.books()
            parts = begin(self._live_plan, wire, rules, strategy, books, account=ACCOUNT, run_id=name)
            store = self._disk.create(name, partial(self._on_disk, life))
            self._judge.born()
            session = LiveSession(parts, wire, store, self._board, NoScreen(), stop)
            outcome = session.run()
            store.close()
        self._world.note("ended", outcome.value)
        return session

    def _on_disk(self, life: Life, point: str) -> None:
        if point.startswith("after-write"):
            self._judge.on_written()
        life.at_point(point)

    def _compare(self, session: LiveSession) -> None:
        """After everything has healed our book is the broker's, and the journal tells the same."""
        account = session.engines.portfolio.account
        ours = account.cash, {symbol: position.qty for symbol, position in account.positions.items() if position.qty}
        self._judge.compare(*ours)
        found = carried(self._disk.books(), ACCOUNT, kst_date(self._world.now))
        read = found.cash, {symbol: qty for symbol, (qty, _cost) in found.positions.items() if qty}
        if read != ours:
            self._judge.broken.append(f"cash and shares are {ours} in the session, {read} in the journal")


def environment(plan: ChaosPlan, held: Credentials) -> Environment:
    """The KIS of a virtual world, as its clients know it."""
    return Environment(
        kind=EnvKind.EMULATOR, rest_url="http://kis.invalid", ws_url="ws://kis.invalid",
        app_key=Secret(held.app_key), app_secret=Secret(held.app_secret), account=held.account, hts_id=held.hts_id,
        speaks=plan.side, limits=LIMITS[plan.side], capabilities=CAPABILITIES[plan.side],
    )  # fmt: skip


def run(plan: ChaosPlan, *, keeps_lines: bool = False) -> Verdict:
    """Play one world. Same plan, same verdict, to the byte."""
    return Run(plan, keeps_lines=keeps_lines).verdict()


def visited(plan: ChaosPlan) -> list[str]:
    """The points that the first life of a world comes to, in order."""
    played = Run(plan)
    played.verdict()
    return played.lives[0].visits
