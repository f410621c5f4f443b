"""What was typed after `qb live`, read into a plan."""

from datetime import time
from typing import Any

import pytest

from qbtrade.adapters.kis.environment import EnvKind
from qbtrade.app.config import Settings
from qbtrade.app.live.plan import Until
from qbtrade.cli.live_options import live_plan, signature, until_of
from qbtrade.domain.calendar import MINUTE
from qbtrade.errors import UsageError
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
