"""Short days of `qb live` against a local KIS that runs in the test's own process."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.adapters.emulator.server import EmulatorServer
from qbtrade.adapters.kis.http import HttpReply, HttpRequest
from qbtrade.adapters.kis.transport import call_once
from qbtrade.adapters.store.sqlite import read_events
from qbtrade.app.emulator import open_stage
from qbtrade.cli.emulator import variables
from qbtrade.domain.events import OrderFilled
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

    def _ask(self, method: Any, path: str, body: bytes = b"") -> dict[str, Any]:
        url = f"{self.url}/emulator/{path}"
        reply = call_once(
            HttpRequest(request_id=0, method=method, url=url, headers={}, body=body, timeout_ns=PATIENCE * SECOND)
        )
        assert isinstance(reply, HttpReply)
        told: dict[str, Any] = json.loads(reply.body)
        return told


@contextmanager
def hosted(clock: str, *, speed: int = 60, **changes: Any) -> Iterator[Hosted]:
    """A local KIS whose day stands at `clock`."""
    plan = EmulatorPlan(speed=speed, **changes)
    stage = msgspec.structs.replace(open_stage(plan), start=at(clock, DAY))
    server = EmulatorServer(plan, stage)
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
        return list(read_events(found[number])) if found else []
    except FileError:  # being created at this moment
        return []


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
