"""The gate before real money, whoever starts a session."""

from functools import partial

import pytest
from msgspec.structs import replace

from qbtrade.adapters.kis.environment import EnvKind, Secret, kis
from qbtrade.app.live import real_money
from qbtrade.app.live.plan import LivePlan
from qbtrade.app.live.real_money import Consent, check
from qbtrade.app.plan import Limits, SimulationPlan
from qbtrade.errors import LockedError
from tests.paper_days import a_paper_day

KEYS = (Secret("PS" + "7c" * 17), Secret("s3cret/" * 20), "12345678-01", "somebody")
REAL, PAPER = kis(EnvKind.REAL, *KEYS), kis(EnvKind.PAPER, *KEYS)
PLAN = LivePlan(SimulationPlan(limits=Limits(max_budget=500_000)))
AGREED = Consent("12345678-01", 500_000)
PAPER_DAY = partial(iter, a_paper_day())


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real_money, "LOCKED", False)


def test_the_lock_is_shut_whatever_was_agreed() -> None:
    with pytest.raises(LockedError, match="real orders are locked"):
        check(REAL, PLAN, AGREED, [PAPER_DAY])


def test_paper_and_dry_runs_pass_without_consent_or_a_day_on_paper() -> None:
    check(PAPER, PLAN, None, [])
    check(REAL, replace(PLAN, dry_run=True), None, [])


@pytest.mark.usefixtures("unlocked")
def test_once_unlocked_nothing_passes_before_a_day_on_paper_but_what_only_sells() -> None:
    with pytest.raises(LockedError, match="no session of this version on KIS's paper server"):
        check(REAL, PLAN, AGREED, [])
    check(REAL, replace(PLAN, sells_only=True), None, [])
    check(REAL, replace(PLAN, paper_first=False), AGREED, [])
    check(REAL, PLAN, AGREED, [PAPER_DAY])


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize("consent", [None, Consent("12345678-02", 500_000), Consent("12345678-01", 5_000_000)])
def test_once_unlocked_only_consent_to_this_account_and_amount_passes(consent: Consent | None) -> None:
    with pytest.raises(LockedError, match="were not confirmed"):
        check(REAL, PLAN, consent, [PAPER_DAY])


def test_the_phrase_may_have_commas_and_nothing_else() -> None:
    assert real_money.phrase(REAL, PLAN) == "78-01 500000"
    assert real_money.typed(" 78-01  500,000 ", REAL, PLAN) == AGREED
    for text in ("", "y", "78-01", "500000", "500000 78-01", "78-01 500000 yes", "78-01 50000"):
        with pytest.raises(LockedError):
            real_money.typed(text, REAL, PLAN)
