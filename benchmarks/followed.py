"""A session's engines, journal on disk, with PostgreSQL and Redis following it: well, paused or dead."""

import gc
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline import CASH, ROOMY
from stream import START, SYMBOLS

from qbtrade.adapters.redis.bridge import Bridge
from qbtrade.adapters.redis.commands import Commands
from qbtrade.adapters.services.postgres import PostgresService
from qbtrade.adapters.services.redis import RedisService
from qbtrade.adapters.store.outbox import last_number
from qbtrade.adapters.store.postgres.follower import Follower
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.app.plan import SimulationPlan, VenuePlan
from qbtrade.app.rules import load_rules
from qbtrade.app.strategies import load_strategy
from qbtrade.app.wiring import Engines, Setup, risk_limits, sim_broker
from qbtrade.domain.calendar import NS
from qbtrade.domain.instrument import Instrument, Kind, Market
from qbtrade.domain.market import Trade
from qbtrade.domain.order import OrderKind
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import LiveClock, Stopwatch, sleep, wall_ns
from qbtrade.kernel.loop import Inbox, LiveLoop, StopRequest

TICK = 0.01
LOOK = 0.02
PATIENCE = 30.0
WARM = 1.5
"""Seconds after which latencies count: the threads have connected, and loaded what they need."""
CALM = 80.0
"""An order each second: more, and their durable commits are all that the latencies show."""
BUSY = 5.0


@dataclass
class Servers:
    """Both, for as long as the measuring lasts."""

    postgres: PostgresService
    redis: RedisService

    def start(self) -> None:
        """Bring up what is not."""
        self.postgres.start()
        self.redis.start()

    def pids(self) -> list[int]:
        """Every process of both."""
        return [pid for service in (self.postgres, self.redis) for pid in family(service.server.pid)]

    def signal(self, number: int) -> None:
        """To every process of both."""
        send(number, self.pids())


def send(number: int, pids: list[int]) -> None:
    """A signal, to those that still live."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def family(pid: int) -> list[int]:
    """A process and its children."""
    found = [pid]
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(each.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            found.append(int(each.parent.name))
    return found


@dataclass
class Seen:
    """One run. latencies: ns from the inbox to behind the last engine; lags: ns until a row was in PostgreSQL."""

    latencies: list[int]
    lags: list[int]
    rows: int
    dropped: int


def played(
    servers: Servers | None, seconds: float, rate: int, trouble: int = 0, *, period: float = CALM, looks: bool = False
) -> Seen:
    """Trades at a steady rate through all engines. trouble: a signal for both servers after a quarter of the time.

    period: seconds in which each symbol is bought and sold once. looks: measure the lag too, which itself takes time
    from the engines.
    """
    bus, clock, inbox, stop = Bus(), LiveClock(start=START), Inbox(), StopRequest()
    setup = Setup(
        rules=load_rules(), instruments=tuple(Instrument(symbol, Market.KOSPI, Kind.STOCK) for symbol in SYMBOLS),
        interval=NS, limits=risk_limits(SimulationPlan(limits=ROOMY), 0), cash=CASH, made_of_bars=False, durable=True,
        order_kind=OrderKind.LIMIT,
    )  # fmt: skip
    latencies: list[int] = []
    with tempfile.TemporaryDirectory(prefix="qb-bench-", dir=Path.cwd()) as folder, ExitStack() as stack:
        path = Path(folder) / f"bench-{wall_ns()}.sqlite3"
        store = stack.enter_context(closing(SqliteJournal(path, is_live=True)))
        engines = Engines(bus, clock, setup, store, sim_broker(VenuePlan(), 0))
        engines.host_strategy(load_strategy("sma_cross", {"fast": "2", "slow": "3"}).build(engines.host, SYMBOLS), 0)
        engines.hours.start()
        follower = None
        if servers:
            bridge = Bridge(servers.redis.url(), path.stem, Commands("", "bench"), inbox, clock, print)
            bridge.follow(bus)
            stack.callback(bridge.close)
            follower = Follower(servers.postgres.url(), path)
        begin = START + int(WARM * NS)

        def measure(trade: Trade) -> None:
            if trade.ts >= begin:
                latencies.append(clock.now() - trade.ts)

        bus.subscribe(Trade, measure)
        over = threading.Event()
        threads = [threading.Thread(target=_feed, args=(inbox, clock.twin(), seconds, rate, period, stop), daemon=True)]
        samples: list[tuple[float, int, int]] = []
        if follower:
            follower.start()
        if follower and looks:
            threads.append(threading.Thread(target=_look, args=(path, follower, samples, over), daemon=True))
        if servers and trouble:
            threads.append(threading.Thread(target=_disturb, args=(servers, seconds / 4, trouble), daemon=True))
        for thread in threads:
            thread.start()
        gc.collect()
        gc.freeze()  # as a live session does
        LiveLoop(bus, clock, inbox, stop).run()
        gc.unfreeze()
        threads[0].join()
        if follower and not trouble:
            follower.stop(PATIENCE)
        sleep(5 * LOOK)
        over.set()
        rows = last_number(path)
        if follower and trouble:
            follower.stop(0)
    return Seen(latencies, list(_lags(samples)), rows, inbox.dropped)


def _feed(inbox: Inbox, clock: LiveClock, seconds: float, rate: int, period: float, stop: StopRequest) -> None:
    """Each symbol's price stands high for half a period; they go up and down one after the other."""
    watch, number = Stopwatch(), 0
    shifts = {symbol: period * n / len(SYMBOLS) for n, symbol in enumerate(SYMBOLS)}
    while (now := watch.seconds()) < seconds:
        while number < now * rate:
            number += 1
            symbol = SYMBOLS[number % len(SYMBOLS)]
            is_high = (now + shifts[symbol]) % period < period / 2
            inbox.offer(Trade(clock.now(), symbol, 75_100 if is_high else 75_000, 3), symbol)
        sleep(TICK)
    stop.ask("enough")


def _look(path: Path, follower: Follower, samples: list[tuple[float, int, int]], over: threading.Event) -> None:
    watch = Stopwatch()
    while not over.wait(LOOK):
        passed = follower.progress.passed
        samples.append((watch.seconds(), last_number(path), passed))


def _disturb(servers: Servers, after: float, number: int) -> None:
    """Whom to disturb is found out before anything is measured: to look for processes takes the interpreter."""
    sleep(WARM / 2)  # who follows has connected, each by a process of its own
    pids = servers.pids()
    sleep(after - WARM / 2)
    send(number, pids)


def _lags(samples: list[tuple[float, int, int]]) -> Iterator[int]:
    """For each look at the journal: how long until its last row was in the database."""
    at = 0
    for moment, written, _passed in samples:
        while at < len(samples) and samples[at][2] < written:
            at += 1
        if at == len(samples):
            return
        yield max(0, int((samples[at][0] - moment) * NS))


@contextmanager
def servers() -> Iterator[Servers]:
    """Both servers in a folder of their own, as users have them."""
    from qbtrade.adapters.store.postgres.migrations import upgrade

    with tempfile.TemporaryDirectory(prefix="qb-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        both = Servers(PostgresService(folder / "postgresql"), RedisService(folder / "redis"))
        try:
            both.start()
            upgrade(both.postgres.url())
            yield both
        finally:
            both.postgres.stop()
            both.redis.stop()


def p(values: list[int], percent: int) -> float:
    """A percentile, ms."""
    ordered = sorted(values)
    if not ordered:
        sys.exit("nothing was measured: these figures mean nothing")
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] / 1e6


ALONE = "no servers"
CONDITIONS: tuple[tuple[str, Callable[[Servers], Servers | None], int], ...] = (
    (ALONE, lambda _both: None, 0),
    ("both well", lambda both: both, 0),
    ("both paused (SIGSTOP)", lambda both: both, signal.SIGSTOP),
    ("both dead (SIGKILL)", lambda both: both, signal.SIGKILL),
)
