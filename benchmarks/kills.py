"""Kill a session again and again: `.venv/bin/python benchmarks/kills.py [--kills 200]`; exit 1 when it went wrong.

`qb emulator` and `qb live` run as two processes. The session trades with every bar and is ended with `kill -9`: while
it starts, at any moment, or as soon as KIS has received an order of its. It is started again at once, until that
happened often enough or the market's day is over; the last one ends by itself. Another day follows until all kills are
done. Compared after each: the emulator's orders with the journals' intents, one to one, the fills of each, cash and
shares to the won. Measured: how long it takes after a kill to read qb's own book from its journals, and from a start to
a book that is compared with the broker's and written down, and to ACTIVE with an open stream (its picture is drawn once
a second).
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

from day import QB, ask, unequal_books
from run import Row, machine

from qbtrade.adapters.store.sqlite import read_events
from qbtrade.app.live.carried import carried, journals
from qbtrade.app.live.status_file import shown
from qbtrade.domain import events as ev
from qbtrade.domain.calendar import kst_date
from qbtrade.domain.message import Event
from qbtrade.errors import QbError
from qbtrade.kernel.clock import Stopwatch, sleep

SYMBOLS: Final = {"real": ("005930", "000660", "035420"), "paper": ("005930",)}
"""Paper tells no rows of orders: what two of them became between two sessions cannot be told apart, and qb halts."""
FLIP: Final = '''
from qbtrade.ports import Strategy


class Flip(Strategy):
    """Buys when flat, sells when not, with every bar."""

    def on_bar(self, bar):
        ask = self.desk.sell if self.desk.position(bar.symbol) else self.desk.buy
        ask(bar.symbol, "a bar has closed")
'''
LIVE: Final = (
    *QB, "live", "--env", "emulator", "--quiet", "--max", "10000000", "--daily-loss", "9000000",
    "--max-orders", "10000", "--strategy", "./flip.py:Flip", "--bar", "10s",
)  # fmt: skip
LATEST: Final = "15:00"
A_DAY: Final = {"real": 200, "paper": 20}
"""Kills of a day. On paper an order whose answer was lost locks its symbol until the night: nothing is tried then."""
PATIENCE: Final = 120
BEFORE_OPEN: Final = 600
"""Market seconds from the emulator's start to the open."""
INTERRUPTED: Final = 130
WIRE: Final = "wire.jsonl"
NAP: Final = 0.002
STARTING, TRADING, ORDERING = "while it starts", "while it trades", "right after an order left"
LONGEST: Final = {STARTING: 1.5, TRADING: 3.0, ORDERING: 0.02}
"""Machine seconds from the start, from ACTIVE, from the order's arrival to the kill; drawn between 0 and this."""

STEPS: Final = {
    "own": "own book read from the journals", "book": "start to books compared with the broker's",
    "active": "start to ACTIVE",
}  # fmt: skip


class Stage:
    """One local KIS and the sessions that trade on it for a day. took: seconds to each of STEPS."""

    def __init__(self, folder: Path, told: Mapping[str, Any], side: str, rng: Random) -> None:
        self.folder, self.home, self.url = folder, folder / "home", told["rest_url"]
        self._record, self._rng = folder / WIRE, rng
        self._environment = {**os.environ, **told["environment"], "QB_HOME": str(self.home)}
        self.side, self._line = side, (*LIVE, *named(side))
        self.kills, self.took = Counter[str](), {step: list[float]() for step in STEPS}
        (folder / "flip.py").write_text(FLIP, encoding="utf-8")

    def kill_one(self) -> None:
        """Start a session, and kill it."""
        how = self._rng.choice((STARTING, TRADING, ORDERING))
        delay, known = self._rng.uniform(0, LONGEST[how]), self.journals()
        with self._session() as process:
            watch = Stopwatch()
            if how != STARTING:
                self._see_it_start(process, watch, known)
            if how == ORDERING:
                seen = self._orders_on_the_wire()
                wait(lambda: process.poll() is not None or self._orders_on_the_wire() > seen, LONGEST[TRADING])
            sleep(delay)
            process.kill()
        if process.returncode != -signal.SIGKILL:
            sys.exit(f"a session ended by itself with {process.returncode}")
        self.kills[how] += 1
        self._read_own_book()

    def _read_own_book(self) -> None:
        """As the next start does; keep how long that took."""
        started = next((next(read(), None) for read in journals(self.home)), None)
        if isinstance(started, ev.SessionStarted):
            watch = Stopwatch()
            carried(journals(self.home), started.account, kst_date(started.ts))
            self.took["own"].append(watch.seconds())

    def end(self, run_on: float) -> int:
        """Start the last session, let it trade, and end it. Returns its exit code."""
        known = self.journals()
        with self._session() as process:
            self._see_it_start(process, Stopwatch(), known)
            sleep(run_on)
            process.send_signal(signal.SIGINT)
            return process.wait(PATIENCE)

    def clock(self) -> str:
        """Market time, hours and minutes."""
        told: str = ask(self.url, "clock")["time"][11:16]
        return told

    def journals(self) -> list[Path]:
        """Of all sessions, oldest first."""
        return sorted((self.home / "journals").glob("*.sqlite3"))

    def _session(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(self._line, cwd=self.folder, env=self._environment)  # noqa: S603 - our own program

    def _see_it_start(self, process: "subprocess.Popen[bytes]", watch: Stopwatch, known: list[Path]) -> None:
        """Wait until it is ACTIVE, or ends; keep how long that took."""
        reached = {"book": lambda: self._has_book(known), "active": lambda: self._is_active(process.pid)}
        for what, is_reached in reached.items():
            wait(lambda done=is_reached: process.poll() is not None or done(), PATIENCE)  # type: ignore[misc]
            if process.poll() is None:
                self.took[what].append(watch.seconds())

    def _has_book(self, known: list[Path]) -> bool:
        new = self.journals()[len(known) :]
        return bool(new and events(new[-1]))

    def _is_active(self, pid: int) -> bool:
        seen = next(iter(shown(self.home)), None)
        if seen is None or seen.pid != pid or seen.status.wire is None:
            return False
        if seen.status.risk_state == "HALTED":
            sys.exit(f"a session halted: {seen.status.risk_reason}; kept: {self.folder}")
        return (seen.status.risk_state, seen.status.wire.stream) == ("ACTIVE", "open")

    def _orders_on_the_wire(self) -> int:
        return self._record.read_bytes().count(b'/order-cash"')


def named(side: str) -> Iterator[str]:
    """The options that name the symbols."""
    for symbol in SYMBOLS[side]:
        yield from ("--symbol", symbol)


def wait(condition: Callable[[], bool], patience: float) -> None:
    """Until it is so, or patience is at its end."""
    watch = Stopwatch()
    while not condition() and watch.seconds() < patience:
        sleep(NAP)


def events(journal: Path) -> list[Event]:
    """What a journal holds so far; nothing while it is being made."""
    try:
        return list(read_events(journal))
    except QbError:
        return []


class Told:
    """What the journals tell of orders. known: every number of the broker; fills: shares and KRW by number."""

    def __init__(self, journals: list[Path], side: str) -> None:
        self.side = side
        self.intents, self.known, self.fills = Counter[tuple[str, str, int, int]](), set[str](), Counter[str]()
        self.booked_at_start, self.owners = set[str](), dict[str, set[tuple[str, str]]]()
        for journal in journals:
            self._read(journal.stem, events(journal))

    def _read(self, run: str, told: list[Event]) -> None:
        names, adopted = dict[str, str](), set[str]()
        for event in told:
            match event:
                case ev.SessionStarted():
                    self.known |= set(event.settled) | {left.number for left in event.leftovers} - {""}
                    self.booked_at_start |= set(event.settled) | {left.number for left in event.leftovers}
                    names = {left.order_id: left.number for left in event.leftovers}
                    adopted = set(names)
                case ev.OrderSending(order=order) if order.order_id not in adopted:
                    self.intents[order.symbol, order.side.value, order.qty, order.price] += 1
                case ev.OrderAccepted(order_id=order_id, broker_order_id=number):
                    names[order_id] = number
                    self.known.add(number)
                    if order_id not in adopted:
                        self.owners.setdefault(number, set()).add((run, order_id))
                case ev.OrderFilled(order_id=order_id, qty=qty):
                    self.fills[names[order_id]] += qty
                case _other:
                    pass


def problems(stage: Stage, code: int) -> Iterator[str]:
    """What went wrong."""
    if code != INTERRUPTED:
        yield f"the last session ended with {code}"
    told, orders = Told(stage.journals(), stage.side), ask(stage.url, "orders")["orders"]
    at_broker = Counter((each["symbol"], each["side"], each["qty"], each["price"]) for each in orders)
    for looks, count in (at_broker - told.intents).items():
        yield f"doubled: {count} more orders than intents of {looks}"
    for number, owners in told.owners.items():
        if len(owners) > 1:
            yield f"order {number} was given to {len(owners)} intents"
    for each in orders:
        yield from of_one(told, str(each["number"]), each["filled"], each["remaining"])
    if not orders:
        yield "nothing was ordered: it proves nothing"
    report = json.loads(max((stage.home / "reports").glob("*.json")).read_bytes())
    yield from unequal_books(report, ask(stage.url, "account"))


def of_one(told: Told, number: str, filled: int, remaining: int) -> Iterator[str]:
    """What went wrong with one order at the broker. What was filled between two sessions is in the books alone.

    So is, on paper, an order that the balance explained: it never gets a number, but is one of the intents.
    """
    if number not in told.known:
        if told.side == "real":
            yield f"lost: order {number} stands in no journal"
        return
    ours = told.fills[number]
    if ours > filled or (ours < filled and number not in told.booked_at_start):
        yield f"order {number}: {ours} shares filled in the journals, {filled} at the emulator"
    if remaining:
        yield f"order {number} works after the end"


class Sum:
    """The figures of all days, and what went wrong."""

    def __init__(self) -> None:
        self.kills, self.took, self.days = Counter[str](), {step: list[float]() for step in STEPS}, 0
        self.intents = self.orders = self.shares = 0
        self.wrong = list[str]()

    def add(self, stage: Stage, code: int) -> None:
        """Count a day that is over. code: the exit code of its last session."""
        orders = ask(stage.url, "orders")["orders"]
        self.days += 1
        self.kills += stage.kills
        self.intents += Told(stage.journals(), stage.side).intents.total()
        self.orders += len(orders)
        self.shares += sum(each["filled"] for each in orders)
        self.wrong += problems(stage, code)
        for what, took in stage.took.items():
            self.took[what] += took

    def rows(self) -> Iterator[Row]:
        """As a table."""
        for how, count in sorted(self.kills.items()):
            yield f"kill -9 {how}", f"{count}", ""
        yield "kill -9 in all, days", f"{self.kills.total()}, {self.days}", ""
        yield "intents, orders at the broker, shares filled", f"{self.intents}, {self.orders}, {self.shares:,}", ""
        for what, words in STEPS.items():
            took = sorted(self.took[what]) or [0.0]
            at = [took[int(share * (len(took) - 1))] for share in (0.5, 0.99, 1)]
            yield f"{words}: p50, p99, most", ", ".join(f"{each:.3f} s" for each in at), ""


@contextmanager
def emulator(folder: Path, chosen: argparse.Namespace, seed: int) -> Iterator[dict[str, Any]]:
    """A local KIS in a process of its own, and what it tells of itself."""
    command = [
        *QB, "emulator", "--json", "--speed", str(chosen.speed), "--side", chosen.side, "--seed", str(seed),
        "--record", str(folder / WIRE), *named(chosen.side), *(("--calls", "20") if chosen.side == "paper" else ()),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own program
        try:
            yield json.loads(server.stdout.readline()) if server.stdout else {}
        finally:
            server.terminate()


def day(folder: Path, chosen: argparse.Namespace, found: Sum) -> None:
    """Kill until all is done or the market closes."""
    seed = chosen.seed + found.days
    with emulator(folder, chosen, seed) as told:
        stage = Stage(folder, told, chosen.side, Random(seed))
        wait(lambda: stage.clock() > "09:00", PATIENCE + BEFORE_OPEN / chosen.speed)
        most = min(A_DAY[chosen.side], chosen.kills - found.kills.total())
        while stage.kills.total() < most and stage.clock() < LATEST:
            stage.kill_one()
        found.add(stage, stage.end(LONGEST[TRADING]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how often")
    parser.add_argument("--speed", type=int, default=20, help="market seconds per second")
    parser.add_argument("--seed", type=int, default=1, help="of the moments and of the market")
    parser.add_argument("--side", default="real", help="real or paper")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    chosen = parser.parse_args()
    folder, found = Path(tempfile.mkdtemp(prefix="qb-kills-")), Sum()
    while found.kills.total() < chosen.kills and not found.wrong:
        here = folder / f"day{found.days + 1}"
        here.mkdir()
        day(here, chosen, found)
    table = list(found.rows())
    if chosen.json:
        print(json.dumps({"machine": machine(), "rows": table, "problems": found.wrong}, indent=2))
    else:
        print(machine(), "", "| measure | figure |", "|---|---|", *(f"| {a} | {b} |" for a, b, _ in table), sep="\n")
    if found.wrong:
        sys.exit("\n".join([*found.wrong, f"kept: {folder}"]))
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
