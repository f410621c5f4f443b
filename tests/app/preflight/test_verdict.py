import json
import stat
from contextlib import ExitStack
from datetime import date
from pathlib import Path

from msgspec.structs import replace

from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.adapters.kis.environment import EnvKind
from qbtrade.app.account_files import verdict_path
from qbtrade.app.config import load_settings
from qbtrade.app.kis_account import environment_of
from qbtrade.app.preflight import SHORT, Row, Status, clearance, preflight, why_no_go
from qbtrade.app.preflight.opening import Wish, open_case
from qbtrade.app.preflight.run import SECTIONS, SYMBOL_SECTIONS
from qbtrade.app.preflight.verdict import digest
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
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"opens in", b"opened"))
    assert why_no_go(home, environment, configuration, verdict.day) == "the file of the last preflight was changed"
    path.write_bytes(b"{")
    assert why_no_go(home, environment, configuration, verdict.day) == "no preflight was made"


def test_clearance_is_short_after_a_preflight_of_the_same_configuration_and_whole_otherwise(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        first = clearance(tmp_path, variables, tmp_path / "home")
        second = clearance(tmp_path, variables, tmp_path / "home")
        told = load_settings(tmp_path, variables).plan_defaults()
        wider = replace(told, symbols=("005930",), limits=replace(told.limits, stop_loss=40_000_000))
        other = clearance(tmp_path, variables, tmp_path / "home", plan=wider)

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


def test_a_no_go_that_was_edited_into_a_go_is_none(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        verdict = preflight(tmp_path, variables, tmp_path / "home", budget=50_000)
        environment = environment_of(load_settings(tmp_path, variables), EnvKind.EMULATOR)
    path = verdict_path(tmp_path / "home", environment)
    path.write_bytes(path.read_bytes().replace(b'"go": false', b'"go": true'))

    assert why_no_go(tmp_path / "home", environment, verdict.configuration, verdict.day) == (
        "the file of the last preflight was changed"
    )


def configuration_of(folder: Path, variables: dict[str, str]) -> str:
    with ExitStack() as things:
        case = open_case(Wish(folder, variables, folder / "home"), things)
        return digest(case.settings, case.environment, case.plan, case.today)


def test_whatever_is_configured_anew_asks_for_a_new_preflight(tmp_path: Path) -> None:
    changes = [{"QB_LIMITS_COLLAR": "2%"}, {"QB_KIS_HTS_ID": "another"}, {"QB_KIS_TRIES": "3"}, {"QB_COSTS_TAX": "1%"}]
    with emulator() as (_server, variables):
        before = configuration_of(tmp_path, variables)
        after = [configuration_of(tmp_path, {**variables, **changed}) for changed in changes]
        language = configuration_of(tmp_path, {**variables, "QB_LANG": "ko"})

    assert language == before
    assert len({before, *after}) == 1 + len(changes)


def test_the_next_market_day_of_an_emulator_asks_for_a_new_preflight(tmp_path: Path) -> None:
    said: list[str] = []
    addresses = {"QB_KIS_REST_URL": "http://127.0.0.1:9", "QB_KIS_WS_URL": "ws://127.0.0.1:9"}
    for day in ("2026-11-02", "2026-11-03"):
        with emulator(EmulatorPlan(day=day)) as (_server, variables), ExitStack() as things:
            case = open_case(Wish(tmp_path, variables, tmp_path / "home"), things)
            settings = load_settings(tmp_path, {**variables, **addresses})
            said.append(digest(settings, case.environment, case.plan, case.today))

    assert said[0] != said[1]


def test_the_short_form_makes_only_the_checks_that_can_have_changed_and_keeps_nothing(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        found = rows(tmp_path, variables, *SHORT)

    assert set(found) == SHORT
    assert found.pop("paper-day").status is Status.SKIP  # of real money alone
    assert {row.status for row in found.values()} == {Status.OK}
    assert not (tmp_path / "home" / "preflight").exists()


def test_without_an_address_the_emulator_is_started_in_this_process(tmp_path: Path) -> None:
    names = [name for part in (SECTIONS, SYMBOL_SECTIONS) for checks in part.values() for name in checks]
    found = rows(tmp_path, {}, *names, asked="emulator")

    assert set(found) == set(names)
    assert [row.check for row in found.values() if row.status is Status.FAIL] == []
    assert not (tmp_path / "home" / "kis").exists()
