import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from qbtrade.adapters.emulator.answers import Refusal
from qbtrade.adapters.emulator.checks import Checks
from qbtrade.adapters.emulator.plan import CREDENTIALS
from qbtrade.app.chaos.many import load, save, shrunk
from qbtrade.app.chaos.plan import ACCOUNT_FAULTS, ALL, ChaosPlan, Crash, drawn
from qbtrade.app.chaos.points import HITS, places, reference, walk
from qbtrade.app.chaos.reckoning import Reckoning
from qbtrade.app.chaos.run import NUMBER, Run, run, visited

CALM = (ChaosPlan(seed=1), ChaosPlan(seed=1, side="paper"))


@pytest.mark.parametrize("plan", CALM, ids=lambda plan: plan.side)
def test_nothing_breaks_where_nothing_goes_wrong(plan: ChaosPlan) -> None:
    verdict = run(plan, keeps_lines=True)
    assert verdict.broken == ()
    assert sum("order-cash" in line for line in verdict.lines) > 10


@pytest.mark.parametrize("plan", CALM, ids=lambda plan: plan.side)
def test_days_follow_each_other_with_books_carried_over_the_night(plan: ChaosPlan) -> None:
    verdict = run(replace(plan, days=3, symbols=3, rates={"overnight-jump": 10**9}), keeps_lines=True)
    assert verdict.broken == ()
    assert [line.split()[-1] for line in verdict.lines if " day " in line] == ["2026-11-03", "2026-11-04"]
    assert sum(" born " in line for line in verdict.lines) == 3


def test_others_trade_in_the_account_and_a_person_answers_what_qb_asks() -> None:
    asked = [ChaosPlan(seed=seed, rates={"by-hand": 10**9, "timeout-not-taken": 4 * 10**8}) for seed in (4, 5, 6)]
    crowded = ChaosPlan(seed=4, rates={"by-hand": 10**9, "second-machine": 10**9, "payment": 10**9, "stopped": 10**9})
    verdicts = [run(plan) for plan in (*asked, crowded)]
    assert [verdict.broken for verdict in verdicts] == [()] * len(verdicts)
    happened = {name for verdict in verdicts for name in verdict.sometimes}
    assert {"others' buy (hts)", "others' buy (api)", "payment", "stopped"} < happened
    assert any(name.startswith("answered") for name in happened)


def test_each_fault_is_on_in_about_half_of_the_seeds() -> None:
    plans = [drawn(seed) for seed in range(400)]
    for name in ALL.keys() - ACCOUNT_FAULTS:
        assert 150 < sum(name in plan.rates for plan in plans) < 250
    for name in ACCOUNT_FAULTS:
        assert 40 < sum(name in plan.rates for plan in plans) < 100


def test_others_beside_qb_change_nothing_else_of_a_seeds_world() -> None:
    for seed in range(50):
        plan, asked = drawn(seed), drawn(seed, dict.fromkeys(ACCOUNT_FAULTS, 10**9))
        assert {name for name in asked.rates if name not in ACCOUNT_FAULTS} == plan.rates.keys() - ACCOUNT_FAULTS
        assert (asked.side, asked.crashes, asked.symbols) == (plan.side, plan.crashes, plan.symbols)
        assert asked.calm > ChaosPlan(seed=seed).calm


def test_a_seed_decides_everything_whatever_the_hash_seed_of_python() -> None:
    seeds = range(100, 104)
    expected = [run(drawn(seed)).trace_hash for seed in seeds]
    code = (
        "from qbtrade.app.chaos.plan import drawn; from qbtrade.app.chaos.run import run;"
        f"print([run(drawn(seed)).trace_hash for seed in range({seeds.start}, {seeds.stop})])"
    )
    for hash_seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
        )
        assert told.stdout.strip() == str(expected)


@pytest.mark.parametrize("power", [False, True], ids=["kill", "power"])
@pytest.mark.parametrize("point", ["before-write", "after-write", "before-send", "after-send"])
def test_a_process_that_ends_at_a_write_or_a_send_breaks_no_promise(point: str, *, power: bool) -> None:
    crashes = tuple(Crash(point, hit, power=power) for hit in (3, 4))
    verdict = run(ChaosPlan(seed=7, crashes=crashes))
    assert verdict.broken == ()
    assert verdict.sometimes[f"killed {point}"]


def test_three_processes_in_a_row_that_end_at_the_same_place_break_no_promise() -> None:
    plan = next(reference(8, {}))
    first_visits = [world for world in walk(plan) if len(world.crashes) == HITS and world.crashes[0].hit == 1]
    killed_and_powerless = first_visits[::4] + first_visits[3::4]  # each place once
    found = places(run(world) for world in killed_and_powerless)
    assert [place.name for place in found if place.broken] == []
    assert all(place.ends >= place.worlds for place in found)
    names = {place.name for place in found}
    assert {f"{when}-send {what}" for when in ("before", "after") for what in ("buy", "sell", "cancel")} < names
    assert "before-write SubmitOrder+OrderApproved+OrderSending, synced" in names


def test_a_walk_ends_every_visit_of_every_place_in_one_two_and_three_lives_with_and_without_power() -> None:
    plan = ChaosPlan(seed=1, trouble=1, calm=1)
    worlds = list(walk(plan))
    assert len(worlds) == len(visited(plan)) * HITS * 2
    assert len({world.crashes for world in worlds}) == len(worlds)


def test_a_book_that_is_wrong_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def lie(reckoning: Reckoning, cash: int, positions: dict[str, int], own: dict[str, int]) -> None:
        right(reckoning, cash + 1, {**positions, "005930": 1 + positions.get("005930", 0)}, own)

    right = Reckoning.compare
    monkeypatch.setattr(Reckoning, "compare", lie)
    cash, shares = run(CALM[0]).broken[1], run(CALM[0]).broken[0]
    assert "in the book" in cash
    assert "in the book" in shares


def test_the_judge_sees_an_order_that_no_rule_may_let_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_anything: object) -> None:
        raise Refusal("APBK0506")

    monkeypatch.setattr(Checks, "order", refuse)
    assert "an order reached KIS that no rule may let out: APBK0506" in run(CALM[0]).broken


def test_the_judge_sees_a_key_in_a_picture_or_a_text() -> None:
    judge = Run(CALM[0]).judge
    judge.on_text("the token was refused")
    assert judge.broken == []
    judge.on_text(f"the token of {CREDENTIALS['real'].app_key} was refused")
    assert len(judge.broken) == 1
    assert CREDENTIALS["real"].app_key not in judge.broken[0]


def test_a_seed_that_looks_like_an_account_number_is_no_secret_and_the_number_is_one() -> None:
    number = CREDENTIALS["real"].account.partition("-")[0]
    world = Run(replace(CALM[0], seed=int(number)))
    assert world.verdict().broken == ()
    world.judge.on_text(NUMBER.partition("-")[0])
    assert world.judge.broken == ["a key, a secret, a token or a whole account number was shown"]


def test_a_failing_world_is_made_smaller_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Run.verdict

    def fails_with_slow(self: Run) -> object:
        verdict = original(self)
        return replace(verdict, broken=("slow",) if "slow" in verdict.plan.rates else ())

    monkeypatch.setattr(Run, "verdict", fails_with_slow)
    plan = ChaosPlan(seed=3, trouble=2, calm=1, rates={"slow": 10**8, "vi": 10**9}, crashes=(Crash("before-send", 1),))
    small = shrunk(plan)
    assert (small.rates, small.crashes, small.trouble) == ({"slow": 10**8}, (), 1)
    save(small, tmp_path / "plan.json")
    assert load(tmp_path / "plan.json") == small
