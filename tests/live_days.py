"""Short days of `qb live` against a local KIS that runs in the test's own process."""

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from qbtrade.adapters.emulator.plan import EmulatorPlan, Stage
from qbtrade.adapters.emulator.server import EmulatorServer
from qbtrade.adapters.kis.http import HttpReply, HttpRequest
from qbtrade.adapters.kis.transport import call_once
from qbtrade.adapters.store.emergency import emergency_path
from qbtrade.adapters.store.sqlite import read_events
from qbtrade.app.emulator import open_stage
from qbtrade.cli.emulator import variables
from qbtrade.domain.events import OrderFilled
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.errors import FileError
from qbtrade.kernel.clock import Stopwatch, sleep
from tests.builders import SECOND, at
from tests.program import PATIENCE, QB, environment

DAY = date(2026, 11, 2)
FLIP = '''
from qbtrade.ports import Strategy


class Flip(Strategy):
    """Buys when flat, sells when not, with every bar."""

    def on_bar(self, bar):
        ask = self.desk.sell if self.desk.position(bar.symbol) else self.desk.buy
        ask(bar.symbol, "a bar has closed")
'''
HOLD = '''
from qbtrade.ports import Strategy


class Hold(Strategy):
    """Buys once and keeps it."""

    def on_bar(self, bar):
        self.desk.buy(bar.symbol, "a bar has closed")
'''
USUAL = ("--symbol", "005930", "--max", "500000", "--strategy", "./flip.py:Flip", "--bar", "10s", "--max-orders", "100")

FEW = 3
_past: dict[tuple[object, ...], "_Kept"] = {}
_read: dict[Path, tuple[list[tuple[int, int, int]], list[Event]]] = {}


class Hosted:
    """A local KIS and how to reach it."""

    def __init__(self, plan: EmulatorPlan, urls: tuple[str, str], server: EmulatorServer | None = None) -> None:
        self.url, self._server = urls[0], server
        self.variables = variables(plan, urls)

    @classmethod
    def at(cls, url: str) -> "Hosted":
        """One that runs already."""
        return cls(EmulatorPlan(), (url, ""))

    def account(self) -> dict[str, Any]:
        """The true books."""
        return self._ask("GET", "account")

    def orders(self) -> list[dict[str, Any]]:
        """All orders as the broker has them."""
        found: list[dict[str, Any]] = self._ask("GET", "orders")["orders"]
        return found

    def set_faults(self, **rates: int) -> None:
        """Change what goes wrong, ppb by name with underscores."""
        body = {name.replace("_", "-"): rate for name, rate in rates.items()}
        assert self._ask("PUT", "faults", msgspec.json.encode(body)) == {"done": True}

    def order_by_hand(self, symbol: str, side: str, qty: int, price: int) -> str:
        """Make an order in HTS or app; its number."""
        body = {"symbol": symbol, "side": side, "qty": qty, "price": price}
        return str(self._ask("POST", "orders", msgspec.json.encode(body))["number"])

    def sleep(self, seconds: int) -> None:
        """Let its time pass as that of a machine which slept meanwhile."""
        assert self._server is not None
        self._server.clock._start += seconds * SECOND  # noqa: SLF001 (no market is set in any other way)

    def sleep_until(self, ts: int) -> None:
        """Let its time pass up to a moment."""
        assert self._server is not None
        self.sleep((ts - self._server.clock.now()) // SECOND)

    def _ask(self, method: Any, path: str, body: bytes = b"") -> dict[str, Any]:
        url = f"{self.url}/emulator/{path}"
        reply = call_once(
            HttpRequest(request_id=0, method=method, url=url, headers={}, body=body, timeout_ns=PATIENCE * SECOND)
        )
        assert isinstance(reply, HttpReply)
        told: dict[str, Any] = json.loads(reply.body)
        return told


def stage_at(clock: str, plan: EmulatorPlan) -> Stage:
    """The market of a plan, whose day stands at `clock`. Its past, which takes long to make, is made once."""
    stage = open_stage(plan)
    shape = (plan.seed, plan.ticks, plan.market, plan.kind, stage.first)
    past: dict[str, Iterable[Trade]] = {
        symbol: trades
        if plan.source or len(stage.past) > FEW
        else _past.setdefault((symbol, stage.bases[symbol], *shape), _Kept(trades))
        for symbol, trades in stage.past.items()
    }
    return msgspec.structs.replace(stage, start=at(clock, DAY), past=past)


class _Kept:
    """Trades that are made when they are first asked for."""

    def __init__(self, trades: Iterable[Trade]) -> None:
        self._trades, self._made = trades, list[Trade]()

    def __iter__(self) -> Iterator[Trade]:
        self._made = self._made or list(self._trades)
        return iter(self._made)


@contextmanager
def hosted(clock: str, *, speed: int = 60, **changes: Any) -> Iterator[Hosted]:
    """A local KIS whose day stands at `clock`."""
    plan = EmulatorPlan(speed=speed, **changes)
    server = EmulatorServer(plan, stage_at(clock, plan))
    try:
        yield Hosted(plan, server.start(), server)
    finally:
        server.stop()


@contextmanager
def session(kis: Hosted, folder: Path, *args: str) -> Iterator["subprocess.Popen[str]"]:
    """`qb live` on it; killed at the end if it still lives."""
    (folder / "flip.py").write_text(FLIP)
    with subprocess.Popen(
        [QB, "live", "--env", "emulator", *(args or USUAL)], cwd=folder,
        env=environment(folder / "home", **kis.variables), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def events(folder: Path, number: int = -1) -> list[Event]:
    """What a session has written down so far; the newest one unless told otherwise."""
    found = sorted((folder / "home" / "journals").glob("*.sqlite3"))
    try:
        return list(_written(found[number])) if found else []
    except FileError:  # being created at this moment
        return []


def _written(journal: Path) -> list[Event]:
    """The events of a journal, decoded again only when one of its files has changed: tests ask all the time."""
    looks = [_look(path) for path in (journal, Path(f"{journal}-wal"), emergency_path(journal))]
    if _read.get(journal, ([], []))[0] != looks:
        _read.clear()
        _read[journal] = looks, list(read_events(journal))
    return _read[journal][1]


def _look(path: Path) -> tuple[int, int, int]:
    try:
        seen = path.stat()
    except FileNotFoundError:
        return (0, 0, 0)
    return (seen.st_ino, seen.st_size, seen.st_mtime_ns)


def fills(folder: Path) -> list[OrderFilled]:
    """What the newest session was filled so far."""
    return [event for event in events(folder) if isinstance(event, OrderFilled)]


def wait_for(process: "subprocess.Popen[str]", condition: Callable[[], bool]) -> None:
    """Until it is so."""
    watch = Stopwatch()
    while not condition():
        assert process.poll() is None, process.communicate()
        assert watch.seconds() < PATIENCE
        sleep(0.02)


def the_report(folder: Path) -> dict[str, Any]:
    """Of the newest session."""
    path = max((folder / "home" / "reports").glob("*.json"))
    report: dict[str, Any] = json.loads(path.read_text())
    return report


def held(report: dict[str, Any]) -> dict[str, int]:
    """Shares by symbol."""
    return {position["symbol"]: position["qty"] for position in report["account"]["positions"]}
