from pathlib import Path

from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.app.preflight import Status
from tests.app.preflight.stand import emulator, row, rows

CHECKS = ("one-share", "an-order", "stop-loss")


def test_the_example_of_the_local_kis_is_feasible(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        found = rows(tmp_path, variables, *CHECKS, budget=100_000)

    assert {each.status for each in found.values()} == {Status.OK}
    assert found["one-share"].seen == "one share costs up to 97,314 won with commission, and --max is 100,000"
    assert found["an-order"].seen == "up to 1 shares at 74,900 won; what binds first: budget"


def test_a_share_that_the_budget_can_never_buy_fails_with_the_smallest_budget_and_equity(tmp_path: Path) -> None:
    with emulator(EmulatorPlan(price=215_000)) as (_server, variables):
        found = row(tmp_path, variables, "one-share", budget=100_000)

    assert found.status is Status.FAIL
    assert found.seen.endswith(": budget")
    assert found.mend.startswith("It takes at least --max 27")
    assert "an equity of 5,5" in found.mend


def test_an_account_that_is_too_small_fails(tmp_path: Path) -> None:
    with emulator(EmulatorPlan(cash=500_000)) as (_server, variables):
        found = rows(tmp_path, variables, *CHECKS)

    assert (found["one-share"].status, found["an-order"].status) == (Status.FAIL, Status.FAIL)
    assert found["an-order"].seen.endswith(": position-share")


def test_a_limit_of_no_entries_at_all_fails(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        found = rows(tmp_path, {**variables, "QB_LIMITS_POSITION_SHARE": "0%"}, *CHECKS)

    assert found["one-share"].mend == "Widen that limit in qb.toml"


def test_a_stop_loss_within_the_costs_fails_and_none_is_warned_of(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        tight = row(tmp_path, {**variables, "QB_LIMITS_STOP_LOSS": "0.3%"}, "stop-loss")
        none = row(tmp_path, {**variables, "QB_LIMITS_STOP_LOSS": "0"}, "stop-loss")

    assert (tight.status, none.status) == (Status.FAIL, Status.WARN)
