from typing import Any

import pytest

from qbtrade.app.config import Said, Settings
from qbtrade.app.plan import Limits, MockPlan, SimulationPlan, VenuePlan
from qbtrade.cli import options
from qbtrade.cli.ask import plan_of
from qbtrade.domain.calendar import parse_ts
from qbtrade.errors import UnknownNameError, UsageError
from tests.cli.terminal import one_line, qb

SECOND = 10**9
MINUTE = 60 * SECOND
SILENCE = Settings({})


def plan(**typed: Any) -> SimulationPlan:
    return plan_of(typed, SILENCE)


def test_nothing_typed_is_the_default_plan_but_for_the_refusals_of_the_made_market() -> None:
    assert plan() == SimulationPlan(venue=VenuePlan(reject_rate=50_000_000))


def test_a_recorded_market_refuses_no_order_unless_asked() -> None:
    assert plan(source=["a.csv"]).venue.reject_rate == 0
    assert plan(source=["a.csv"], reject_rate="1%").venue.reject_rate == 10_000_000


def test_every_option_of_the_made_market_reaches_its_field() -> None:
    asked = plan(
        symbol=["005930", "000660,q530001", "005930"], strategy="./s.py:S", param=["fast=3", "slow = 9"], bar="5m",
        cash="5,000,000", seed="7", speed="60", scenario="crash", days="3", ticks="100", price="80000", volatility="2%",
        max="200_000", daily_loss="30000", stop_loss="2.5%", max_orders="4", reject_rate="0", slippage="0",
        latency="10ms", volume_share="50%", fill_model="touch", order_kind="MARKET", status_every="10",
        report="r.json", market="kosdaq", kind="etf",
    )  # fmt: skip
    assert asked == SimulationPlan(
        symbols=("005930", "000660", "Q530001"),
        strategy="./s.py:S",
        params={"fast": "3", "slow": "9"},
        interval=5 * MINUTE,
        cash=5_000_000,
        seed=7,
        limits=Limits(max_budget=200_000, daily_loss=30_000, stop_loss=25_000_000, max_entries=4),
        venue=VenuePlan(reject_rate=0, latency=10**7, slippage=0, volume_share=500_000_000, fill_model="touch"),
        mock=MockPlan(scenario="crash", ticks=100, days=3, price=80_000, volatility=20_000_000),
        speed=60,
        status_every=10 * SECOND,
        report="r.json",
        order_kind="market",
        market="KOSDAQ",
        kind="ETF",
    )


def test_every_option_of_a_recorded_market_reaches_its_field() -> None:
    asked = plan(
        source=["a.csv", "b.csv"],
        files=["c.csv", "a.csv"],
        from_="2020-02-18T09:30",
        to="2020-02-20",
        skip_bad_rows=True,
    )
    assert asked.source == ("a.csv", "b.csv", "c.csv")
    assert asked.start == parse_ts("2020-02-18T09:30:00+09:00")
    assert asked.end == parse_ts("2020-02-21")
    assert asked.skip_bad_rows


def test_a_time_of_day_ends_the_data_at_that_moment() -> None:
    assert plan(source=["a.csv"], to="2020-02-20T10:00").end == parse_ts("2020-02-20T10:00")


def test_mock_names_the_made_market() -> None:
    assert plan(source=["mock"], days="2").mock.days == 2


def test_flags_beat_what_is_configured() -> None:
    settings = Settings(
        {
            "limits.max_budget": Said("300000", "qb.toml", "max_budget"),
            "limits.max_entries": Said("3", "qb.toml", "max_entries"),
            "venue.reject_rate": Said("2%", "qb.toml", "reject_rate"),
            "params.fast": Said("4", "qb.toml", "fast"),
            "params.slow": Said("30", "qb.toml", "slow"),
        }
    )
    asked = plan_of({"max": "200000", "param": ["fast=3"]}, settings)
    assert (asked.limits.max_budget, asked.limits.max_entries) == (200_000, 3)
    assert asked.params == {"fast": "3", "slow": "30"}
    assert asked.venue.reject_rate == 20_000_000


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"param": ["fast"]}, "--param: 'fast' is not NAME=VALUE"),
        ({"param": ["=5"]}, "--param: '=5' is not NAME=VALUE"),
        ({"files": ["a.csv"]}, "'a.csv' stands alone"),
        ({"source": ["mock", "a.csv"]}, "--source: mock and files do not go together"),
        ({"source": ["a.csv"], "days": "2"}, "--days shapes the made market"),
        ({"from_": "2020-01-02"}, "--from belongs to a recorded market"),
        ({"source": ["a.csv"], "from_": "2020-01-03", "to": "2020-01-02"}, "--from is not before --to"),
        ({"source": ["a.csv"], "from_": "soon"}, "--from: 'soon' is not a time"),
        ({"symbol": ["59"]}, "--symbol: '59' is not a symbol"),
        ({"symbol": [""]}, "--symbol: '' is not a symbol"),
        ({"cash": "0"}, "--cash: 0 is outside"),
        ({"max": "-5"}, "--max: -5 is outside"),
        ({"stop_loss": "3"}, "--stop-loss: '3' is not a percentage"),
        ({"bar": "1 week"}, "--bar: '1 week' is not a duration"),
        ({"speed": "0"}, "--speed: '0'"),
        ({"seed": ""}, "--seed: '' is not a whole number"),
        ({"order_kind": "stop"}, "--order-kind: 'stop' is none of limit, market"),
        ({"scenario": "crush"}, "--scenario: 'crush' is none of calm, trend, crash, limit-up, halt"),
    ],
)
def test_a_complaint_names_its_flag(typed: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=rf"^{message.replace('(', '.')}"):
        plan(**typed)


@pytest.mark.parametrize("typed", [{"market": "NYSE"}, {"kind": "BOND"}])
def test_an_unknown_name_is_answered_with_those_that_exist(typed: dict[str, str]) -> None:
    with pytest.raises(UnknownNameError, match=r"Known: |Did you mean"):
        plan(**typed)


def test_every_option_stands_on_the_help_page_with_its_default() -> None:
    page = " ".join(qb("simulate", "--help").stdout.split())
    for option in options.ALL:
        assert f"{option.flag} {option.metavar} " in page
        assert f"{option.text} [{option.default}]" in page or not option.default


def test_a_bad_value_ends_the_command_line_with_2() -> None:
    result = qb("simulate", "--stop-loss", "3")
    assert (result.exit_code, result.stdout) == (2, "")
    assert one_line(result.stderr) == "error: --stop-loss: '3' is not a percentage. Write 3% or 0.5%"
