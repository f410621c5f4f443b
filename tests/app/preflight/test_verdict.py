import json
import stat
from datetime import date
from pathlib import Path

from qbtrade.adapters.kis.environment import EnvKind
from qbtrade.app.account_files import verdict_path
from qbtrade.app.config import load_settings
from qbtrade.app.kis_account import environment_of
from qbtrade.app.preflight import SHORT, Row, Status, clearance, preflight, why_no_go
from qbtrade.app.preflight.run import SECTIONS, SYMBOL_SECTIONS
from tests.app.preflight.stand import emulator, rows


def test_a_preflight_leaves_a_verdict_that_holds_for_its_day_and_configuration(tmp_path: Path) -> None:
    seen: list[Row] = []
    with emulator() as (_server, variables):
        verdict = preflight(tmp_path, variables, tmp_path / "home", on_row=seen.append)
        environment = environment_of(load_settings(tmp_path, variables), EnvKind.EMULATOR)
    path = verdict_path(tmp_path / "home", environment)

    assert verdict.go
    assert verdict.rows == tuple(seen)
    assert {row.section for row in seen} == set(SECTIONS)
    assert json.loads(path.read_bytes())["go"] is True
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert variables["QB_KIS_ACCOUNT"] not in path.read_text(encoding="utf-8") + path.name

    home, configuration = tmp_path / "home", verdict.configuration
    assert why_no_go(home, environment, configuration, verdict.day) == ""
    assert why_no_go(home, environment, "other", verdict.day) == (
        "something was configured anew since the last preflight"
    )
    assert why_no_go(home, environment, configuration, date(2020, 1, 1)) == f"the last preflight is of {verdict.day}"
    path.write_bytes(b"{")
    assert why_no_go(home, environment, configuration, verdict.day) == "no preflight was made"


def test_clearance_is_short_after_a_preflight_of_the_same_configuration_and_whole_otherwise(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        first = clearance(tmp_path, variables, tmp_path / "home")
        second = clearance(tmp_path, variables, tmp_path / "home")
        other = clearance(tmp_path, variables, tmp_path / "home", budget=120_000)

    assert (first.go, second.go, other.go) == (True, True, True)
    assert len(first.rows) == len(other.rows) > len(second.rows)
    assert {row.check for row in second.rows} == SHORT


def test_a_failed_row_is_a_no_go_and_named(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        verdict = preflight(tmp_path, variables, tmp_path / "home", budget=50_000)
        environment = environment_of(load_settings(tmp_path, variables), EnvKind.EMULATOR)

    assert not verdict.go
    assert why_no_go(tmp_path / "home", environment, verdict.configuration, verdict.day) == (
        "the last preflight failed: one-share, an-order"
    )


def test_the_short_form_makes_only_the_checks_that_can_have_changed_and_keeps_nothing(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        found = rows(tmp_path, variables, *SHORT)

    assert set(found) == SHORT
    assert {row.status for row in found.values()} == {Status.OK}
    assert not (tmp_path / "home" / "preflight").exists()


def test_without_an_address_the_emulator_is_started_in_this_process(tmp_path: Path) -> None:
    names = [name for part in (SECTIONS, SYMBOL_SECTIONS) for checks in part.values() for name in checks]
    found = rows(tmp_path, {}, *names, asked="emulator")

    assert set(found) == set(names)
    assert [row.check for row in found.values() if row.status is Status.FAIL] == []
    assert not (tmp_path / "home" / "kis").exists()
