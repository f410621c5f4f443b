"""`qb orders`: what is unknown of a session's orders, and a person's answer, taken by this session or the next one."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from qbtrade.domain import events as ev
from qbtrade.domain.message import Event
from tests.live_days import HOLD, Hosted, events, hosted, session, wait_for
from tests.program import QB, environment, run_qb
from tests.terminals import terminal

ALWAYS = 10**9
HOLDS = ("--max", "500000", "--strategy", "./hold.py:Hold", "--bar", "10s", "--max-orders", "100")
ANSWER = ("--reason", "seen in the app", "--yes")
QUICK = {"QB_KIS_GIVE_UP_AFTER": "30s"}


@pytest.fixture
def kis(tmp_path: Path) -> Iterator[Hosted]:
    """A local KIS that takes no order, and says only that it did not answer in time."""
    (tmp_path / "hold.py").write_text(HOLD)
    with hosted("10:00", speed=20, faults={"timeout-not-taken": ALWAYS}) as hosted_kis:
        hosted_kis.variables |= QUICK
        yield hosted_kis


def orders(kis: Hosted, folder: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    """`qb orders` beside the session."""
    env = ("--env", "emulator")
    return run_qb("orders", *args, *env, folder=folder, home=folder / "home", **kis.variables)


def resolve(kis: Hosted, folder: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    """`qb orders resolve`, tried until the order is old enough."""
    while "only just now" in (done := orders(kis, folder, "resolve", *args)).stderr:
        pass
    return done


def has(folder: Path, kind: type[Event]) -> bool:
    return any(isinstance(event, kind) for event in events(folder))


def told(folder: Path) -> list[ev.OrderResolved]:
    return [event for event in events(folder) if isinstance(event, ev.OrderResolved)]


def test_an_order_that_a_person_says_is_gone_frees_its_symbol_in_the_running_session(
    kis: Hosted, tmp_path: Path
) -> None:  # fmt: skip
    with session(kis, tmp_path, *HOLDS) as process:
        wait_for(process, lambda: has(tmp_path, ev.OrderUnconfirmed))
        listed = orders(kis, tmp_path)
        assert "unknown: " in listed.stdout, listed  # whether KIS took it, or no trace of it by now
        assert orders(kis, tmp_path, "resolve", "Q000001", "--number", "77", *ANSWER).returncode == 2
        done = resolve(kis, tmp_path, "Q000001", "--gone", *ANSWER)
        assert (done.returncode, done.stdout) == (0, "the session has taken the answer over\n"), done
        (event,) = told(tmp_path)
        assert (event.order_id, event.number, event.reason) == ("Q000001", "", "seen in the app")
        wait_for(process, lambda: sum(isinstance(event, ev.OrderSending) for event in events(tmp_path)) > 1)
        again = orders(kis, tmp_path, "resolve", "Q000001", "--gone", *ANSWER)
        assert (again.returncode, "nothing about order Q000001 is unknown" in again.stderr) == (2, True)


def test_of_two_that_look_like_it_a_person_names_the_one_that_is_ours(kis: Hosted, tmp_path: Path) -> None:
    with session(kis, tmp_path, *HOLDS) as process:
        wait_for(process, lambda: has(tmp_path, ev.OrderUnconfirmed))
        (sent,) = (event.order for event in events(tmp_path) if isinstance(event, ev.OrderSending))
        numbers = [kis.order_by_hand(sent.symbol, sent.side.value, sent.qty, sent.price) for _ in range(2)]
        gone = resolve(kis, tmp_path, "Q000001", "--gone", *ANSWER)
        if not any(isinstance(event, ev.OrderAccepted) for event in events(tmp_path)):
            assert "it cannot be said to be gone" in gone.stderr
            done = orders(kis, tmp_path, "resolve", "Q000001", "--number", numbers[1], *ANSWER)
            assert done.returncode == 0, done
            (event,) = told(tmp_path)
            assert event.number == numbers[1]


def test_what_a_person_says_after_a_session_died_is_what_the_next_one_begins_with(
    kis: Hosted, tmp_path: Path
) -> None:  # fmt: skip
    with session(kis, tmp_path, *HOLDS) as process:
        wait_for(process, lambda: has(tmp_path, ev.OrderUnconfirmed))
        process.kill()
        process.wait()
    done = resolve(kis, tmp_path, "Q000001", "--gone", *ANSWER)
    assert (done.returncode, done.stdout) == (0, "the answer is kept; the next session begins with it\n"), done
    with session(kis, tmp_path, *HOLDS) as process:
        wait_for(process, lambda: bool(told(tmp_path)))
        started = next(iter(events(tmp_path)))
        assert isinstance(started, ev.SessionStarted)
        assert started.leftovers == ()
        (event,) = told(tmp_path)
        assert (event.order_id.split("/")[1], event.reason) == ("Q000001", "seen in the app")


def test_of_orders_that_look_like_it_a_person_may_say_that_they_are_none_of_qb(kis: Hosted, tmp_path: Path) -> None:
    with session(kis, tmp_path, *HOLDS) as process:
        wait_for(process, lambda: has(tmp_path, ev.OrderUnconfirmed))
        process.kill()
        process.wait()
    (sent,) = (event.order for event in events(tmp_path) if isinstance(event, ev.OrderSending))
    first, second = (kis.order_by_hand(sent.symbol, sent.side.value, sent.qty, sent.price) for _ in range(2))
    gone = resolve(kis, tmp_path, "Q000001", "--gone", "--not-mine", first, *ANSWER)
    assert (gone.returncode, f"order {second} at KIS looks like order Q000001" in gone.stderr) == (4, True), gone
    done = resolve(kis, tmp_path, "Q000001", "--gone", "--not-mine", first, "--not-mine", second, *ANSWER)
    assert (done.returncode, f"order {second} looks like it and stays that of somebody else" in done.stderr) == (
        0,
        True,
    )
    with session(kis, tmp_path, *HOLDS) as process:
        wait_for(process, lambda: bool(told(tmp_path)))
        started = next(iter(events(tmp_path)))
        assert isinstance(started, ev.SessionStarted)
        assert started.leftovers == ()


def test_on_a_terminal_the_order_is_typed_to_confirm(kis: Hosted, tmp_path: Path) -> None:
    with session(kis, tmp_path, *HOLDS) as process:
        wait_for(process, lambda: has(tmp_path, ev.OrderUnconfirmed))
        process.kill()
        process.wait()
    line = [QB, "orders", "resolve", "Q000001", "--gone", "--reason", "seen", "--env", "emulator"]
    while True:
        with terminal(line, tmp_path, environment(tmp_path / "home", **kis.variables)) as shown:
            shown.wait(lambda: "to confirm" in shown.shown or "only just now" in shown.shown)
            if "to confirm" in shown.shown:
                shown.type("no\n")
                assert shown.end() == 4
                assert "nothing is changed" in shown.shown
                break
    assert list((tmp_path / "home").glob("orders/*/*.json")) == []


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (("resolve", "Q000001"), "say one of --number and --gone"),
        (("resolve", "Q000001", "--gone", "--number", "1", "--reason", "x"), "say one of --number and --gone"),
        (("resolve", "Q000001", "--gone"), "--reason is missing"),
        (("resolve", "Q000001", "--gone", "--reason", " "), "--reason is missing"),
        (("resolve", "Q000001", "--gone", "--reason", "x"), "no live session was started on this account"),
        ((), "no live session was started on this account"),
        (("--json", "resolve", "Q000001"), "options of resolve stand behind it"),
    ],
)
def test_bad_input_ends_in_one_line(args: tuple[str, ...], text: str, tmp_path: Path) -> None:
    done = run_qb("orders", *args, folder=tmp_path, home=tmp_path / "home", QB_KIS_ENV="emulator")
    assert (done.returncode, done.stdout, done.stderr.count("\n"), text in done.stderr) == (2, "", 1, True), done
