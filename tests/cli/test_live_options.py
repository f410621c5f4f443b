"""What was typed after `qb live`, read into a plan."""

from datetime import date, time
from typing import Any

import pytest

from qbtrade.adapters.kis.environment import EnvKind
from qbtrade.app.config import Settings
from qbtrade.app.live.plan import LivePlan, Until
from qbtrade.app.live.run import trading_day
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.rules import load_rules
from qbtrade.cli.live_options import live_plan, signature, until_of
from qbtrade.domain.calendar import MINUTE
from qbtrade.errors import LockedError, UsageError
from tests.builders import at
from tests.cli.terminal import one_line, qb


def test_until_is_the_close_or_before_it_or_a_time_of_day() -> None:
    assert until_of("close") == Until()
    assert until_of("close-10m") == Until(before_close=10 * MINUTE)
    assert until_of("14:30") == Until(at=time(14, 30))


@pytest.mark.parametrize("text", ["", "open", "close-", "close+10m", "25:00", "9:00", "close-ten"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        until_of(text)


def refused(*args: str) -> str:
    done = qb("live", *args)
    assert done.exit_code == 2
    return one_line(done.stderr)


def test_a_live_session_has_no_greatest_speed() -> None:
    assert "--speed: a live session needs a pace" in refused("--env", "emulator", "--speed", "max")


@pytest.mark.parametrize("flag", ["--scenario", "--ticks", "--price"])
def test_a_dry_run_at_kis_refuses_what_shapes_the_market_of_an_emulator(flag: str) -> None:
    value = "crash" if flag == "--scenario" else "75000"
    assert f"{flag} shapes the market of an emulator" in refused("--env", "paper", "--dry-run", flag, value)


@pytest.mark.parametrize("name", ["cash", "seed"])
def test_a_dry_run_has_cash_and_chance_of_its_own(name: str) -> None:
    typed: dict[str, Any] = dict.fromkeys(signature().parameters)
    plan = live_plan({**typed, "dry_run": True, name: "7"}, Settings({}), EnvKind.PAPER)
    assert getattr(plan.session, name) == 7
    with pytest.raises(UsageError):
        live_plan({**typed, "dry_run": False, name: "7"}, Settings({}), EnvKind.PAPER)


def test_the_help_promises_only_what_a_live_session_does() -> None:
    text = " ".join(qb("live", "--help").stdout.split())
    assert "--speed N Market seconds per second, with --env emulator [1]" in text
    assert "files hold" not in text
    assert "to the byte" not in text


@pytest.mark.parametrize(
    ("until", "clock", "error", "said"),
    [
        ("08:00", "08:50", UsageError, "08:00 is not after the open at 09:00. The market closes at 15:30"),
        ("close-7h", "08:50", UsageError, "08:30 is not after the open"),
        ("14:30", "14:30", LockedError, "it is past 14:30. The market closes at 15:30"),
        ("close-10m", "15:30", LockedError, "the session of 2026-11-02 ended at 15:20"),
        ("close", "15:30", LockedError, "ended at 15:30. The next trading day is 2026-11-03"),
    ],
)
def test_an_end_that_leaves_no_time_is_refused(until: str, clock: str, error: type[Exception], said: str) -> None:
    plan = LivePlan(SimulationPlan(), until=until_of(until))
    with pytest.raises(error, match=said):
        trading_day(load_rules().calendar, at(clock, date(2026, 11, 2)), plan)


def test_an_end_after_the_close_is_the_close() -> None:
    calendar, day = load_rules().calendar, date(2026, 11, 2)
    assert trading_day(calendar, at("15:29", day), LivePlan(SimulationPlan(), until=until_of("18:00"))).close


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--env", "paper", "--speed", "60"), "--speed is for --env emulator"),
        (("--env", "real", "--cash", "1000"), "--cash shapes the market of an emulator"),
        (("--on-exit", "sell"), "unknown --on-exit 'sell'"),
        (("--status-every", "0"), "--status-every: '0' is outside"),
        (("--max-orders", "0"), "--max-orders: 0 is outside"),
        (("--stop-loss", "101%"), "--stop-loss: '101%' is above 100%"),
        (("--param", "fast"), "--param: 'fast' is not NAME=VALUE"),
        (("--bar", "0"), "--bar: '0' is outside 1s to 1d"),
        (("--env", "papre"), "unknown environment 'papre'. Did you mean 'paper'?"),
    ],
)
def test_what_cannot_be_used_is_one_line_before_anything_is_asked(args: tuple[str, ...], said: str) -> None:
    ended = qb("live", *args)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert said in one_line(ended.stderr)


def test_a_speed_that_is_configured_for_rehearsals_does_not_keep_paper_from_starting() -> None:
    ended = qb("live", "--env", "paper", QB_SIMULATE_SPEED="60", HOME="/nobody")
    assert (ended.exit_code, "preflight says no-go: keys" in ended.stderr) == (4, True)
