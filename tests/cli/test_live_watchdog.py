"""The watchdog of `qb live`, with real processes: it acts for a session that died or hangs, and for no other."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qbtrade.adapters.kis.environment import EnvKind
from qbtrade.app.config import load_settings
from qbtrade.app.kis_account import environment_of
from qbtrade.app.live.desk import Desk
from qbtrade.domain import events as ev
from qbtrade.domain.message import Event
from qbtrade.domain.order import Side
from qbtrade.kernel.clock import Stopwatch, sleep
from tests.live_days import HOLD, Hosted, events, fills, hosted, session

PATIENCE = 60
SYMBOL = "005930"
KEEPS = ("--max", "500000", "--strategy", "./hold.py:Hold", "--bar", "10s", "--max-orders", "100")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hold.py").write_text(HOLD)
    return tmp_path


@contextmanager
def trading(kis: Hosted, folder: Path, *more: str, after: str = "2s") -> Iterator["subprocess.Popen[str]"]:
    """A session that holds shares."""
    kis.variables["QB_LIVE_WATCHDOG_AFTER"] = after
    with session(kis, folder, *KEEPS, *more) as process:
        until(lambda: bool(fills(folder)))
        yield process


def until(condition: Callable[[], bool]) -> None:
    watch = Stopwatch()
    while not condition():
        assert watch.seconds() < PATIENCE
        sleep(0.05)


def watchers(pid: int) -> list[int]:
    """Processes that a session has started and that live."""
    table = subprocess.run(
        ["ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "args="], capture_output=True, text=True, check=True
    )
    rows = [line.split(None, 2) for line in table.stdout.splitlines()]
    return [int(row[0]) for row in rows if row[1] == str(pid) and "qbtrade.cli.watchdog" in row[2]]


def lives(pid: int) -> bool:
    table = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(table.stdout.strip()) and not table.stdout.startswith("Z")


def with_orders_at_rest(kis: Hosted, folder: Path) -> None:
    """A buy far below the market, and a sell of what is held far above it."""
    price = fills(folder)[-1].price
    kis.order_by_hand(SYMBOL, Side.BUY, 1, price * 9 // 1000 * 100)
    kis.order_by_hand(SYMBOL, Side.SELL, 1, price * 11 // 1000 * 100)
    assert working(kis, folder) == {Side.BUY, Side.SELL}


def working(kis: Hosted, folder: Path) -> set[Side]:
    """Sides of the orders that work at the broker."""
    environment = environment_of(load_settings(folder, kis.variables), EnvKind.EMULATOR)
    with Desk(folder / "home", environment) as desk:
        return {row.side for row in desk.history().rows if row.open_qty}


def journals(folder: Path) -> list[Path]:
    return list((folder / "home" / "journals").glob("*.sqlite3"))


def is_halted(folder: Path) -> bool:
    """Whether the newest session has heard of the halt."""
    return any(map(halting, events(folder)))


def halting(event: Event) -> bool:
    return isinstance(event, ev.RiskStateChanged) and event.state is ev.RiskState.HALTED and not event.symbol


def sent(folder: Path) -> list[Side]:
    """Sides of orders that the newest session sent after it heard of the halt."""
    rows = events(folder)
    heard = next(number for number, row in enumerate(rows) if halting(row))
    return [row.order.side for row in rows[heard:] if isinstance(row, ev.OrderSending)]


def halts(folder: Path) -> list[str]:
    """Places that hold a halt."""
    home = folder / "home"
    return [path.name for path in (*home.glob("halt/*.json"), *home.glob("locks/*.halt.sqlite3"))]


def test_after_kill_9_entries_are_canceled_protective_sells_stay_and_the_account_is_halted(folder: Path) -> None:
    with hosted("10:00", speed=20, calls_per_second=20) as kis:
        with trading(kis, folder) as process:
            (watcher,) = watchers(process.pid)
            with_orders_at_rest(kis, folder)
            process.kill()
            process.wait()
        until(lambda: not lives(watcher))
        assert working(kis, folder) == {Side.SELL}
        assert len(halts(folder)) == 2
        (log,) = (folder / "home" / "watchdog").glob("*.log")
        assert "no sign of life" in log.read_text()
        with session(kis, folder, *KEEPS, "--no-watchdog") as following:
            until(lambda: len(journals(folder)) > 1 and is_halted(folder))
            following.send_signal(signal.SIGINT)
            following.communicate(timeout=PATIENCE)
        assert Side.BUY not in sent(folder)


def test_a_session_that_hangs_finds_itself_halted_when_it_wakes_up(folder: Path) -> None:
    with hosted("10:00", speed=20, calls_per_second=20) as kis, trading(kis, folder) as process:
        (watcher,) = watchers(process.pid)
        process.send_signal(signal.SIGSTOP)
        with_orders_at_rest(kis, folder)
        until(lambda: not lives(watcher))
        assert working(kis, folder) == {Side.SELL}
        assert len(halts(folder)) == 2
        process.send_signal(signal.SIGCONT)
        until(lambda: is_halted(folder))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert Side.BUY not in sent(folder)


def test_a_session_that_ends_in_order_takes_its_watchdog_along_and_halts_nothing(folder: Path) -> None:
    with hosted("10:00", speed=20) as kis, trading(kis, folder) as process:
        (watcher,) = watchers(process.pid)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert not lives(watcher)
    assert halts(folder) == []


def test_the_watchdog_of_a_killed_session_makes_way_for_the_next_one(folder: Path) -> None:
    with hosted("10:00", speed=20, calls_per_second=20) as kis:
        with trading(kis, folder, after="60s") as process:
            (watcher,) = watchers(process.pid)
            process.kill()
            process.wait()
        with session(kis, folder, *KEEPS) as following:
            until(lambda: not lives(watcher))
            assert halts(folder) == []
            assert len(watchers(following.pid)) <= 1
            following.send_signal(signal.SIGINT)
            following.communicate(timeout=PATIENCE)


def test_what_others_see_of_a_watchdog_holds_no_secret(folder: Path) -> None:
    with hosted("10:00", speed=20) as kis, trading(kis, folder) as process:
        (watcher,) = watchers(process.pid)
        shown = subprocess.run(["ps", "eww", "-p", str(watcher)], capture_output=True, text=True, check=True).stdout
        assert "qbtrade.cli.watchdog" in shown
        for name in ("QB_KIS_APP_KEY", "QB_KIS_APP_SECRET", "QB_KIS_ACCOUNT"):
            assert name not in shown
            assert kis.variables[name] not in shown
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)


def test_without_a_watchdog_nobody_watches(folder: Path) -> None:
    with hosted("10:00", speed=20) as kis, trading(kis, folder, "--no-watchdog") as process:
        assert watchers(process.pid) == []
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
