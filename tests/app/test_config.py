import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from qbtrade.app.config import Settings, collect, default_text, load_settings
from qbtrade.app.keys import KEYS, variable
from qbtrade.app.plan import SimulationPlan
from qbtrade.errors import ConfigError, ExitCode


def settings(folder: Path, *, toml: str = "", dotenv: str = "", env: Mapping[str, str] | None = None) -> Settings:
    (folder / "qb.toml").write_text(toml, encoding="utf-8")
    (folder / ".env").write_text(dotenv, encoding="utf-8")
    for name in ("qb.toml", ".env"):
        (folder / name).chmod(0o600)
    return load_settings(folder, env or {})


def complaint(folder: Path, *, toml: str = "", dotenv: str = "", env: Mapping[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        settings(folder, toml=toml, dotenv=dotenv, env=env)
    assert caught.value.exit_code == ExitCode.BAD_FILE
    return str(caught.value)


def test_without_any_configuration_the_plan_is_the_default_one(tmp_path: Path) -> None:
    loaded = load_settings(tmp_path, {"HOME": "/nobody", "PATH": ""})

    assert loaded.plan_defaults() == SimulationPlan()
    assert {loaded.origin(key) for key in loaded.keys()} == {"default"}  # noqa: SIM118 (no dict)


def test_the_environment_beats_dotenv_beats_the_file(tmp_path: Path) -> None:
    toml = "[simulate]\ncash = 1_000_000\nseed = 1\nspeed = 2\n"
    dotenv = "QB_SIMULATE_SEED=2\nexport QB_SIMULATE_SPEED='3'\nOTHER=x\n"

    loaded = settings(tmp_path, toml=toml, dotenv=dotenv, env={"QB_SIMULATE_SPEED": "4"})

    plan = loaded.plan_defaults()
    assert (plan.cash, plan.seed, plan.speed) == (1_000_000, 2, 4)
    assert [loaded.origin(f"simulate.{name}") for name in ("cash", "seed", "speed", "bar")] == [
        "qb.toml",
        ".env QB_SIMULATE_SEED",
        "environment QB_SIMULATE_SPEED",
        "default",
    ]


def test_every_section_of_the_file_reaches_the_plan(tmp_path: Path) -> None:
    toml = """
        [simulate]
        symbols = ["005930", "000660", "005930"]
        strategy = "tick_cross"
        bar = "5m"
        status_every = 10
        [params]
        fast = 3
        kind = "ema"
        [limits]
        stop_loss = "2%"
        position_share = 0.1
        stale_after = "90s"
        [venue]
        latency = "5ms"
        reject_rate = "1000ppb"
        [mock]
        first_day = 2026-03-02
        [costs]
        commission = "0.0140527%"
        tax = "0.15 %"
    """

    plan = settings(tmp_path, toml=toml).plan_defaults()

    assert plan.symbols == ("005930", "000660")
    assert (plan.strategy, plan.params) == ("tick_cross", {"fast": "3", "kind": "ema"})
    assert (plan.interval, plan.status_every) == (300 * 10**9, 10 * 10**9)
    assert (plan.limits.stop_loss, plan.limits.position_share) == (20_000_000, 100_000_000)
    assert plan.limits.stale_after == 90 * 10**9
    assert (plan.venue.latency, plan.venue.reject_rate) == (5 * 10**6, 1000)
    assert plan.mock.first_day == "2026-03-02"
    assert (plan.commission_ppb, plan.tax_ppb) == (140_527, 1_500_000)
    assert plan.limits.max_budget == SimulationPlan().limits.max_budget


def test_a_strategy_parameter_may_come_from_the_environment(tmp_path: Path) -> None:
    loaded = settings(tmp_path, env={"QB_PARAMS_SLOW": "20"})

    assert loaded.plan_defaults().params == {"slow": "20"}
    assert (loaded.shown("params.slow"), loaded.origin("params.slow")) == ("20", "environment QB_PARAMS_SLOW")
    assert "params.slow" in loaded.keys()  # noqa: SIM118 (no dict)


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("[limits]\nstop_los = 1", "qb.toml: unknown key 'limits.stop_los'. Did you mean 'limits.stop_loss'?"),
        ("[limit]\nstop_loss = 1", "qb.toml: unknown key 'limit.stop_loss'. Did you mean 'limits.stop_loss'?"),
        ("qqqqq = 1", "qb.toml: unknown key 'qqqqq'. docs/configuration.md lists all keys"),
        ("[params.fast]\nx = 1", "qb.toml: unknown key 'params.fast.x'"),
        ("[limits]\nstop_loss = 3", "qb.toml: limits.stop_loss: '3' is not a percentage. Write 3% or 0.5%"),
        ("[simulate]\ncash = -5", "qb.toml: simulate.cash: -5 is outside"),
        ("[simulate]\ncash = [1, 200]", "qb.toml: simulate.cash takes one value"),
        ("[simulate]\nsymbols = ['59']", "qb.toml: simulate.symbols: '59' is not a symbol"),
        ("[simulate]\nbar = 'soon'", "qb.toml: simulate.bar: 'soon' is not a duration"),
        ("lang = 'fr'", "qb.toml: lang: 'fr' is none of ko, en"),
        ("[mock]\nscenario = 'crush'", "qb.toml: mock.scenario: 'crush' is none of calm, trend, crash, limit-up, halt"),
        ("[limits", "qb.toml: "),
    ],
)
def test_what_the_file_says_wrong_is_named_with_its_key(tmp_path: Path, toml: str, expected: str) -> None:
    assert complaint(tmp_path, toml=toml).startswith(expected)


def test_an_unknown_variable_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    nearest = "unknown key 'QB_LIMITS_STOPLOSS'. Did you mean 'QB_LIMITS_STOP_LOSS'?"

    assert complaint(tmp_path, env={"QB_LIMITS_STOPLOSS": "1%"}) == f"environment: {nearest}"
    assert complaint(tmp_path, dotenv="QB_LIMITS_STOPLOSS=1%") == f".env: {nearest}"


def test_variables_that_are_empty_or_not_configuration_are_left_alone(tmp_path: Path) -> None:
    env = {"QB_LANG": "", "QB_DEBUG": "1", "QB_TEST_TIMESCALE_URL": "x", "LANG": "ko_KR"}

    assert collect(tmp_path, env) == {}


def test_a_file_that_is_no_text_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "qb.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"^qb\.toml: "):
        load_settings(tmp_path, {})

    (tmp_path / "qb.toml").unlink()
    (tmp_path / ".env").write_bytes(b"QB_LANG=\xff")
    with pytest.raises(ConfigError, match=r"^\.env: "):
        load_settings(tmp_path, {})


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    loaded = settings(tmp_path, env={"QB_DATABASE_URL": "postgresql://me:hidden@db/long?sslpassword=hidden"})

    assert loaded.shown("database_url") == "postgresql://me:***@db/long?sslpassword=***"
    assert loaded.value("database_url") == "postgresql://me:hidden@db/long?sslpassword=hidden"
    assert "hidden" not in repr(loaded)
    assert complaint(tmp_path, env={"QB_REDIS_URL": "http://:hidden@db"}) == (
        "environment: QB_REDIS_URL is not an address. Write redis://user@host/name"
    )


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_a_file_with_a_password_that_others_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("QB_REDIS_URL=redis://:hidden@localhost\n", encoding="utf-8")
    (tmp_path / ".env").chmod(0o640)
    with pytest.raises(ConfigError, match=r"^\.env holds a password and others may read it\. chmod 600 \.env$"):
        load_settings(tmp_path, {})

    (tmp_path / ".env").chmod(0o600)
    assert load_settings(tmp_path, {}).value("redis_url") == "redis://:hidden@localhost"


def test_every_default_shown_can_be_said_and_means_the_default(tmp_path: Path) -> None:
    said = {variable(key): default_text(key) for key, entry in KEYS.items() if not entry.unsaid}

    assert load_settings(tmp_path, said).plan_defaults() == SimulationPlan()


def test_every_field_of_limits_venue_and_mock_has_a_key() -> None:
    plan = SimulationPlan()
    fields = {
        f"{part}.{field.name}"
        for part in ("limits", "venue", "mock")
        for field in msgspec.structs.fields(getattr(plan, part))
    }

    assert fields == {key for key in KEYS if key.startswith(("limits.", "venue.", "mock."))}
