"""One rehearsal from plan to report: the same again, other ones, and books that agree with the journal."""

from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace

from qbtrade.app.plan import Limits, MockPlan, SimulationPlan, VenuePlan
from qbtrade.app.report import encode
from qbtrade.app.session import SessionResult
from qbtrade.app.sessions import find, load
from qbtrade.app.status import NoScreen
from qbtrade.domain import events as ev
from qbtrade.domain.events import Outcome, RiskState, StrategyFailed
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderRequest, OrderStatus, Purpose
from qbtrade.errors import ExitCode
from tests.builders import MINUTE
from tests.rehearsals import a_plan, rehearse, rows, walked, without_timing

OPEN = frozenset(OrderStatus) - {
    OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED,
}  # fmt: skip
DAYS = (
    a_plan(),
    a_plan(venue=VenuePlan(reject_rate=300_000_000, latency=2_000_000_000, volume_share=1)),
    a_plan(mock=MockPlan(ticks=2_000, scenario="crash"), limits=Limits(daily_loss=2_500), seed=5),
    a_plan(symbols=("005930", "000660", "069500"), limits=Limits(max_entries=50), mock=MockPlan(ticks=1_000, days=2)),
    a_plan(mock=MockPlan(ticks=3_000, scenario="halt"), order_kind="market", limits=Limits(max_budget=1_000_000)),
)
"""Days on which about everything happens that can."""
Day = tuple[SessionResult, list[Event]]


class Notices(NoScreen):
    """A screen that keeps what it was told."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def on_notice(self, text: str, action: str) -> None:
        self.notices.append(f"{text}; {action}")


def session_id(home: Path, plan: SimulationPlan) -> str:
    return str(rehearse(plan, home).report["session"]["id"])


# the same again


def test_same_plan_and_seed_give_the_same_report_but_for_its_timing(tmp_path: Path) -> None:
    once, again = rehearse(a_plan(seed=3), tmp_path), rehearse(a_plan(seed=3), tmp_path)
    assert without_timing(once) == without_timing(again)
    assert once.run_id != again.run_id


def test_another_seed_gives_another_day(tmp_path: Path) -> None:
    once, other = rehearse(a_plan(seed=3), tmp_path), rehearse(a_plan(seed=4), tmp_path)
    assert once.report["session"]["id"] != other.report["session"]["id"]
    assert once.report["account"]["cash"] != other.report["account"]["cash"]
    assert once.report["orders"] != other.report["orders"]


def test_report_built_from_the_journal_alone_is_the_one_that_was_written(tmp_path: Path) -> None:
    result = rehearse(a_plan(), tmp_path)
    written = result.report_path.read_bytes()
    assert result.report_path == tmp_path / "reports" / f"{result.run_id}.json"
    assert encode(result.report) == encode(load(find(tmp_path, result.run_id))) == written


def test_report_goes_where_it_is_asked_for_and_nowhere_else(tmp_path: Path) -> None:
    wanted = tmp_path / "mine.json"
    result = rehearse(a_plan(report=str(wanted)), tmp_path / "home")
    assert result.report_path == wanted
    assert wanted.read_bytes() == encode(result.report)
    assert list((tmp_path / "home" / "reports").iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"params": {"fast": "4"}},
        {"params": {"average": "ema"}},
        {"strategy": "tick_cross"},
        {"cash": 9_000_000},
        {"symbols": ("000660",)},
        {"interval": 2 * MINUTE},
        {"order_kind": "market"},
        {"commission_ppb": 0},
        {"limits": Limits(max_entries=3)},
        {"venue": VenuePlan(slippage=2)},
        {"mock": MockPlan(ticks=501)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_session_id_changes_with_whatever_changes_the_session(tmp_path: Path, change: dict[str, object]) -> None:
    plan = a_plan(mock=MockPlan(ticks=500))
    assert session_id(tmp_path, replace(plan, **change)) != session_id(tmp_path, plan)


def test_session_id_stays_when_only_the_watching_changes(tmp_path: Path) -> None:
    plan = a_plan(mock=MockPlan(ticks=500))
    report = str(tmp_path / "elsewhere.json")
    watched = replace(plan, speed=10**9, status_every=MINUTE, report=report)
    assert without_timing(rehearse(watched, tmp_path)) == without_timing(rehearse(plan, tmp_path))


def test_session_id_follows_the_content_of_a_file_and_not_its_name(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.csv", "b.csv", "c.csv")]
    for file, last in zip(files, (75_100, 75_100, 75_200), strict=True):
        file.write_text(f"ts,symbol,price,qty\n2026-11-02T09:00,005930,75000,1\n2026-11-02T09:01,005930,{last},1\n")
    first, same, other = (session_id(tmp_path, a_plan(source=(str(file),))) for file in files)
    assert first == same != other


def test_session_id_follows_the_text_of_a_strategy(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    text = "from qbtrade.ports import Strategy\n\n\nclass Mine(Strategy):\n    pass\n"
    plan = a_plan(strategy=f"{file}:Mine", mock=MockPlan(ticks=100))
    file.write_text(text)
    before = session_id(tmp_path, plan)
    file.write_text(f"{text}\n\nWORD = 1\n")
    assert session_id(tmp_path, plan) != before


# the books


@pytest.fixture(scope="module", params=DAYS, ids=["plain", "slow-venue", "crash", "three-symbols", "market-orders"])
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Day:
    home = tmp_path_factory.mktemp("home")
    result = rehearse(request.param, home)
    return result, rows(home, result)


def test_every_order_walks_legal_moves_to_an_end_and_never_fills_beyond_itself(day: Day) -> None:
    orders = walked(day[1])
    assert orders
    assert [order.request.order_id for order in orders.values() if order.status in OPEN] == []
    assert all(order.filled_qty <= order.request.qty for order in orders.values())


def test_every_order_gets_one_verdict_and_every_approved_one_is_sent_once(day: Day) -> None:
    asked, judged, approved, sent = list[str](), list[str](), list[OrderRequest](), list[OrderRequest]()
    for event in day[1]:
        if isinstance(event, ev.SubmitOrder):
            asked.append(event.order.order_id)
        elif isinstance(event, ev.OrderApproved):
            judged.append(event.order.order_id)
            approved.append(event.order)
        elif isinstance(event, ev.OrderDenied):
            judged.append(event.order_id)
        elif isinstance(event, ev.OrderSending):
            sent.append(event.order)
    assert sorted(asked) == sorted(judged)
    assert len(set(asked)) == len(asked)
    assert sent == approved


def test_report_counts_what_the_journal_holds(day: Day) -> None:
    result, events = day
    seen = Counter(type(event) for event in events)
    counts, report = result.report["counts"], result.report
    assert counts["signals"] == seen[ev.Signal]
    assert counts["orders"] == seen[ev.SubmitOrder] == len(report["orders"])
    assert counts["orders"] == counts["approved"] + counts["denied"]
    assert counts["approved"] == counts["accepted"] + counts["rejected"]
    assert counts["denied"] == len(report["denials"])
    assert counts["fills"] == seen[ev.OrderFilled] == len(report["fills"]) == seen[ev.PositionChanged]
    assert counts["alerts"] == seen[ev.Alert] == len(report["alerts"])
    assert counts["round_trips"] == len(report["round_trips"])
    session = report["session"]
    made = session["assumptions"]["mock_ticks"] * session["assumptions"]["mock_days"] * len(session["symbols"])
    assert made == sum(counts[name] for name in ("trades", "late", "out_of_order", "outside_session", "quarantined"))


def test_account_agrees_with_its_fills_to_the_won(day: Day) -> None:
    account, fills = day[0].report["account"], day[0].report["fills"]
    sign = {"BUY": -1, "SELL": 1}
    spent = sum(sign[fill["side"]] * fill["price"] * fill["qty"] - fill["commission"] - fill["tax"] for fill in fills)
    held = Counter[str]()
    for fill in fills:
        held[fill["symbol"]] -= sign[fill["side"]] * fill["qty"]
    assert account["cash"] == account["initial_cash"] + spent
    assert {row["symbol"]: row["qty"] for row in account["positions"]} == {s: n for s, n in held.items() if n}
    assert account["equity"] == account["cash"] + sum(row["qty"] * row["last"] for row in account["positions"])
    cost = sum(row["cost"] for row in account["positions"])
    costs = account["commission"] + account["tax"]
    assert account["cash"] + cost == account["initial_cash"] + account["realized"] - costs


def test_journal_begins_with_the_start_and_ends_with_the_end(day: Day) -> None:
    result, events = day
    first, last = events[0], events[-1]
    assert isinstance(first, ev.SessionStarted)
    assert isinstance(last, ev.SessionEnded)
    assert (first.run_id, last.outcome) == (result.run_id, result.outcome)
    times = [event.ts for event in events if not isinstance(event, ev.EquityMarked)]
    assert times == sorted(times)


# what a newcomer sees


def test_default_day_trades(tmp_path: Path) -> None:
    result = rehearse(a_plan(mock=MockPlan()), tmp_path)
    assert (result.outcome, result.exit_code) == (Outcome.DONE, ExitCode.DONE)
    assert result.report["counts"]["trades"] == 20_000
    assert result.report["counts"]["round_trips"] > 0


def test_budget_below_one_share_is_said_before_the_run_and_kept_as_an_alert(tmp_path: Path) -> None:
    screen = Notices()
    result = rehearse(a_plan(limits=Limits(max_budget=50_000)), tmp_path, screen)
    (notice,) = screen.notices
    (alert,) = result.report["alerts"]
    assert notice.startswith("005930 can never trade at ")
    assert (alert["code"], notice) == ("can-never-trade", f"{alert['text']}; {alert['action']}")
    assert alert["ts"] == result.report["session"]["start"]
    assert result.report["counts"]["fills"] == 0


def test_budget_and_cash_that_the_notice_names_admit_a_share(tmp_path: Path) -> None:
    screen = Notices()
    plan = a_plan(cash=1_000_000, limits=Limits(max_budget=50_000), mock=MockPlan(price=75_000), venue=VenuePlan())
    rehearse(plan, tmp_path, screen)
    words = screen.notices[0].replace(",", "").split()
    budget, cash = (int(words[words.index(flag) + 1]) for flag in ("--max", "--cash"))
    better = replace(plan, cash=cash, limits=Limits(max_budget=budget))
    rehearse(better, tmp_path, enough := Notices())
    rehearse(replace(better, cash=cash - 1), tmp_path, less_cash := Notices())
    rehearse(replace(better, limits=Limits(max_budget=budget - 1)), tmp_path, less_budget := Notices())
    assert [len(each.notices) for each in (enough, less_cash, less_budget)] == [0, 1, 1]


def test_crash_makes_the_stop_loss_sell(tmp_path: Path) -> None:
    result = rehearse(a_plan(mock=MockPlan(scenario="crash")), tmp_path)
    protective = [order for order in result.report["orders"] if order["purpose"] == Purpose.PROTECT]
    assert "FILLED" in {order["status"] for order in protective}
    assert "stop-loss" in {alert["code"] for alert in result.report["alerts"]}
    assert result.report["account"]["positions"] == []


def test_small_daily_loss_ends_a_crash_halted_and_nothing_is_bought_after(tmp_path: Path) -> None:
    result = rehearse(a_plan(mock=MockPlan(scenario="crash"), limits=Limits(daily_loss=1_000)), tmp_path)
    assert (result.outcome, result.exit_code) == (Outcome.HALTED, ExitCode.HALTED)
    assert result.report["session"]["reason"] == "daily-loss"
    events = rows(tmp_path, result)
    halted = next(
        number
        for number, event in enumerate(events)
        if isinstance(event, ev.RiskStateChanged) and event.state is RiskState.HALTED and not event.symbol
    )
    after = [event.order.purpose for event in events[halted:] if isinstance(event, ev.OrderSending)]
    assert set(after) == {Purpose.PROTECT}


def test_strategy_that_raises_loses_its_symbol_and_not_the_session(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text(
        "from qbtrade.ports import Strategy\n\n\n"
        "class Broken(Strategy):\n"
        "    def on_bar(self, bar):\n"
        "        if bar.symbol == '005930':\n"
        "            return 1 / 0\n"
    )
    plan = a_plan(strategy=f"{file}:Broken", symbols=("005930", "000660"))
    result = rehearse(plan, tmp_path)
    assert (result.outcome, result.exit_code) == (Outcome.DONE, ExitCode.DONE)
    (failure,) = result.report["session"]["strategy_failures"]
    (change,) = result.report["session"]["risk_changes"]
    assert (failure["symbol"], failure["error"]) == ("005930", "ZeroDivisionError: division by zero")
    assert f'File "{file}", line 7, in on_bar' in failure["traceback"]
    assert "qbtrade/engines" not in failure["traceback"]
    assert (change["symbol"], change["state"]) == ("005930", "REDUCING")
    assert sum(isinstance(event, StrategyFailed) for event in rows(tmp_path, result)) == 1
