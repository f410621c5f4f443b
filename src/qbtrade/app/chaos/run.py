"""One seed from its first life to its verdict."""

from datetime import datetime
from functools import cache, partial
from random import Random
from typing import Final

import msgspec

from qbtrade.adapters.emulator.actions import ACTIONS
from qbtrade.adapters.emulator.core import Emulator
from qbtrade.adapters.emulator.plan import Credentials, EmulatorPlan
from qbtrade.adapters.kis.environment import CAPABILITIES, LIMITS, Environment, EnvKind, Secret
from qbtrade.adapters.kis.events import Notice
from qbtrade.adapters.kis.http import HttpRequest
from qbtrade.app.chaos.account import Account
from qbtrade.app.chaos.audit import audited
from qbtrade.app.chaos.disk import Disk
from qbtrade.app.chaos.fate import Board, Fate
from qbtrade.app.chaos.guarded import Watch
from qbtrade.app.chaos.hands import Hands
from qbtrade.app.chaos.judge import Judge
from qbtrade.app.chaos.law import Becomes
from qbtrade.app.chaos.life import KilledError, Life, Machine
from qbtrade.app.chaos.limits import limits_of
from qbtrade.app.chaos.market import (
    BASES,
    START,
    actions,
    bases,
    best,
    happened,
    incidents,
    played,
    rules,
    stage,
    starts,
    symbols,
    traded,
)
from qbtrade.app.chaos.plan import SERVER, ChaosPlan
from qbtrade.app.chaos.reckoning import Reckoning
from qbtrade.app.chaos.replayed import differences
from qbtrade.app.chaos.resolved import resolved
from qbtrade.app.chaos.world import World
from qbtrade.app.live.carried import carried
from qbtrade.app.live.plan import LivePlan, Until
from qbtrade.app.live.run import begin
from qbtrade.app.live.session import LiveSession
from qbtrade.app.live.wire import Wire
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.status import NoScreen
from qbtrade.app.strategies import LoadedStrategy, load_strategy
from qbtrade.domain.calendar import KST, MINUTE, NS, iso_kst, kst_date
from qbtrade.domain.events import Alert, RiskStateChanged
from qbtrade.errors import BrokerError, JournalError
from qbtrade.kernel.loop import StopRequest

CASH: Final = 10_000_000
BAR: Final = 10 * NS
MOST_LIVES: Final = 40
ACCOUNT: Final = "chaos"
NUMBER: Final = "CHAOSNUM-01"
"""The account at KIS. Of digits alone a seed, a time or a count would look now and then as if it were told."""
EXCUSED: Final = "worked on after the end, named, its number never told"
STOPS: Final = "a price fell to the stop-loss of shares when all had healed"
SENDER: Final = "OPENAPI"
"""What the local KIS writes into rows of orders that programs made."""


class Verdict(msgspec.Struct, frozen=True):
    """What became of a seed. broken: promises, in words. sometimes: how often rare things happened.

    resolved: ns that orders took from evidence at the broker to their number.
    """

    plan: ChaosPlan
    broken: tuple[str, ...]
    sometimes: dict[str, int]
    trace_hash: str
    lines: tuple[str, ...] = ()
    resolved: tuple[int, ...] = ()


@cache
def _strategy(seed: int) -> LoadedStrategy:
    return load_strategy("qbtrade.app.chaos.strategy:Restless", {"seed": str(seed)})


class Run:
    """One seed. lives: the processes that there were, oldest first. judge: of what they did.

    reckoning: of the books at the end.
    """

    def __init__(self, plan: ChaosPlan, *, keeps_lines: bool = False) -> None:
        self._plan = plan
        server = {name: rate for name, rate in plan.rates.items() if name in SERVER}
        self._events, traded = played(plan), symbols(plan)
        asked = EmulatorPlan(
            side=plan.side,
            symbols=traded,
            cash=CASH,
            seed=plan.seed,
            account=NUMBER,
            faults=server,
            events=(*incidents(plan), *(f"{each.name}@{each.day}:{each.symbol}" for each in actions(plan))),
        )
        core = Emulator(asked, stage(plan, self._events))
        self._world = World(plan, core, START, keeps_lines=keeps_lines)
        self._disk, self._machine, limits = Disk(), Machine(), limits_of(plan)
        self._account = Account(core, CASH)
        self.reckoning = Reckoning(self._account, self._disk, lambda: self._world.now)
        self.judge = Judge(
            self._account, self._disk, limits, lambda: self._world.now,
            {symbol: BASES[symbol] for symbol in traded}, secrets(asked.credentials),
            lambda since: best(self._events, since, self._world.now),
        )  # fmt: skip
        self._board = Board(lambda: self._world.now, self.judge.on_picture)
        self._world.on_order = self.judge.look
        says_who = plan.rate("by-hand") > 0 and plan.seed % 2 == 0
        self._environment = environment(plan, asked.credentials, SENDER if says_who else "")
        self._end = START + (plan.trouble + plan.calm) * MINUTE
        session = SimulationPlan(symbols=traded, interval=BAR, limits=limits, cash=CASH, status_every=MINUTE)
        self._live_plan = LivePlan(session, until=Until(at=datetime.fromtimestamp(self._end // NS, KST).time()))
        self._rng = Random(f"{plan.seed}:fate")
        self._fate = Fate(plan, self._world, self._disk, self._board, self.judge, self._rng)
        self._hands = Hands(self._world, self._disk, self._board, self._account, self._environment, traded)
        self.lives: list[Life] = []
        self._began = START

    def verdict(self) -> Verdict:
        """Live until the end."""
        world = self._world
        for begins in starts(self._plan.days):
            self._dawn(begins)
            self._fate.draw(begins)
            self._hands.draw(begins)
            if not self._live_through():
                break
        healed = self._began + self._plan.trouble * MINUTE if self._plan.side == "real" else 0
        journals = [journal.read() for journal in self._disk.journals]
        watch = Watch(self._began + self._plan.trouble * MINUTE, self._end, limits_of(self._plan).stop_loss)
        watch.read(journals[-1] if journals else (), traded(self._plan, self._events, self._plan.days))
        told = [
            *self.judge.broken,
            *watch.broken,
            *self.reckoning.broken,
            *(() if self._account.is_misled else self.judge.exceeded),
            *audited(journals, world.core.entries, healed, self._account.foreign),
            *self.judge.leaks(journals),
        ]
        market, broken = happened(self._plan, self._events), tuple(dict.fromkeys(told))
        sometimes = {**world.core.happened, **world.sometimes, **market, **self.judge.sometimes()}
        sometimes[EXCUSED], sometimes[STOPS] = self.reckoning.excused, watch.stops
        rare = {name: times for name, times in sorted(sometimes.items()) if times}
        took = resolved(journals, world.core.entries, world.sight)
        return Verdict(self._plan, broken, rare, world.trace_hash(), tuple(world.lines or ()), took)

    def _dawn(self, begins: int) -> None:
        """The night before a day, but for the first."""
        if begins == START:
            return
        self._world.run(begins)
        self._world.note("day", iso_kst(begins)[:10])
        self._end += begins - self._began
        self._began = begins
        number = starts(self._plan.days).index(begins) + 1
        tonight = [action for action in actions(self._plan) if action.day == number]
        found = carried(self._disk.books(), ACCOUNT, kst_date(begins))
        if self._plan.side == "paper":  # what a lost order filled and what the night did cannot be told apart
            lost = {left.order.symbol for left in found.leftovers if not left.number}
            self._account.raided |= lost & {each.symbol for each in tonight}
        self._account.dawn(
            [Becomes(kst_date(begins), each.symbol, *ACTIONS[each.name].shares) for each in tonight],
            [each.symbol for each in tonight if each.name == "rights" and each.symbol in found.positions],
        )
        self.judge.dawn(bases(self._plan, self._events, number))
        self._fate.wake()

    def _live_through(self) -> bool:
        """One day; False when no other follows."""
        for _ in range(MOST_LIVES):
            if self._live(len(self.lives)):
                return self._world.now >= self._end
            self._rest()
        self.judge.broken.append(f"after {MOST_LIVES} starts the session still did not come to its end")
        return False

    def _rest(self) -> None:
        """The time until somebody starts qb again."""
        self._world.run(self._world.now + self._rng.randrange(NS, 30 * NS))

    # its lives

    def _live(self, number: int) -> bool:
        """One life; True when none follows."""
        crashes, world = self._plan.crashes, self._world
        crash = crashes[number] if number < len(crashes) else None
        life = Life(world, self._environment, self._machine, self.judge, crash, self._board.gate)
        life.on_sent = self._on_sent
        self.lives.append(life)
        life.bus.subscribe(Notice, self._on_notice)
        life.bus.subscribe(Alert, self._fate.on_alert)
        life.bus.subscribe(RiskStateChanged, self._fate.on_state)
        world.sight.born[f"{number:04d}"] = world.now
        world.note("born", str(number))
        try:
            session = self._trade(life, f"{number:04d}")
        except KilledError:
            if crash is not None and crash.power:
                self._disk.lose_power(self._rng)
            return False
        except KeyboardInterrupt:
            world.note("ended", "before it began")
            return False
        except (BrokerError, JournalError) as error:
            world.note("refused", f"{type(error).__name__}: {error.message}")
            self.judge.on_text(f"{error.message} {error.hint}")
            world.sometimes[f"start or end refused: {type(error).__name__}"] += 1
            return False
        except Exception as error:  # noqa: BLE001 - whatever it is, a promise is broken
            self.judge.broken.append(f"qb raised {type(error).__name__}: {error}")
            return True
        if session.fault is not None:
            self.judge.broken.append(f"an engine raised {type(session.fault).__name__}: {session.fault}")
            return True
        if world.now >= self._end:
            self._compare(session)
        return world.now >= self._end

    def _on_sent(self, request: HttpRequest) -> None:
        self._hands.on_sent(request)
        self._fate.on_sent(request)

    def _on_notice(self, notice: Notice) -> None:
        self._world.sight.noticed.setdefault(notice.order_no, self._world.now)

    def _trade(self, life: Life, name: str) -> LiveSession:
        stop = self._fate.stop = StopRequest()
        strategy = _strategy(self._plan.seed)
        with Wire(life, stop) as wire:
            books = self._disk.books()
            parts = begin(
                self._live_plan, wire, rules(), strategy, books, account=ACCOUNT, run_id=name,
                given=tuple(self._board.given.values()),
            )  # fmt: skip
            self._board.run_id = name
            store = self._disk.create(name, partial(self._on_disk, life))
            self.judge.born()
            session = LiveSession(parts, wire, store, self._board, NoScreen(), stop)
            outcome = session.run()
            store.close()
        self._world.note("ended", outcome.value)
        return session

    def _on_disk(self, life: Life, point: str) -> None:
        if point.startswith("after-write"):
            self.judge.on_written()
        life.at_point(point)

    def _compare(self, session: LiveSession) -> None:
        """After everything has healed our book is the broker's, and the journal tells the same."""
        account, apart = session.engines.portfolio.account, session.books.apart
        own = {symbol: position.qty for symbol, position in account.positions.items() if position.qty}
        healed = self._began + self._plan.trouble * MINUTE
        self.reckoning.forgive(self._world.sight, healed, told_who=bool(self._environment.order_sender))
        cash, shares = session.books.ours()
        self.reckoning.compare(cash, {symbol: qty for symbol, qty in shares.items() if qty}, own)
        found = carried(self._disk.books(), ACCOUNT, kst_date(self._world.now))
        read = found.cash, {symbol: qty for symbol, (qty, _cost) in found.positions.items() if qty}, found.aside
        if read != (account.cash, own, apart.aside):
            self.judge.broken.append(
                f"the book is {(account.cash, own, apart.aside)} in the session, {read} in the journal"
            )
        self.judge.broken += differences(session.engines, self._disk.journals[-1].read())


def secrets(held: Credentials) -> tuple[str, ...]:
    """What must not be told: keys, and the whole number of the account."""
    return held.app_key, held.app_secret, held.account.partition("-")[0]


def environment(plan: ChaosPlan, held: Credentials, sender: str = "") -> Environment:
    """The KIS of a virtual world, as its clients know it. sender: what rows of our orders say, where that was said."""
    return Environment(
        kind=EnvKind.EMULATOR, rest_url="http://kis.invalid", ws_url="ws://kis.invalid",
        app_key=Secret(held.app_key), app_secret=Secret(held.app_secret), account=held.account, hts_id=held.hts_id,
        speaks=plan.side, limits=LIMITS[plan.side], capabilities=CAPABILITIES[plan.side],
        order_sender=sender,
    )  # fmt: skip


def run(plan: ChaosPlan, *, keeps_lines: bool = False) -> Verdict:
    """Play one world. Same plan, same verdict, to the byte."""
    return Run(plan, keeps_lines=keeps_lines).verdict()


def visited(plan: ChaosPlan) -> list[str]:
    """The points that the first life of a world comes to, in order."""
    played = Run(plan)
    played.verdict()
    return played.lives[0].visits
