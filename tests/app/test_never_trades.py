"""What is said beforehand of a symbol that the limits can never buy."""

from msgspec.structs import replace

from qbtrade.app.never_trades import never_trades
from qbtrade.domain.events import Alert
from qbtrade.domain.limits import RiskLimits
from qbtrade.domain.money import PPB
from tests.builders import SAMSUNG

LIMITS = RiskLimits(
    max_budget=50_000, daily_loss=0, stop_loss=0, position_share=PPB // 20, cash_share=0, max_entries=10,
    max_order_qty=100, collar=0, orders_per_minute=30, stale_after=0, duplicate_window=0, commission_ppb=0,
)  # fmt: skip
RICH = 10_000_000


def said(limits: RiskLimits, equity: int = RICH, most: int = 97_300) -> Alert | None:
    return never_trades(
        SAMSUNG, limits, cash=equity, equity=equity, price=75_100, most=most, funds="an equity of {} won", ts=7
    )


def test_what_can_be_bought_is_passed_over() -> None:
    assert said(replace(LIMITS, max_budget=100_000)) is None


def test_only_what_is_missing_is_asked_for_and_enough_for_the_upper_limit() -> None:
    alert = said(LIMITS)
    assert alert is not None
    assert alert.text == "005930 can never trade at 75,100 won: budget admits no share"
    assert alert.action == "it takes at least --max 97,300"


def test_both_are_asked_for_when_both_are_missing() -> None:
    alert = said(LIMITS, equity=1_000_000)
    assert alert is not None
    assert alert.action == "it takes at least --max 97,300 and an equity of 1,946,000 won"


def test_without_an_upper_limit_the_price_itself_counts() -> None:
    alert = said(LIMITS, most=0)
    assert alert is not None
    assert alert.action == "it takes at least --max 75,100"


def test_no_money_helps_against_a_limit_of_no_shares() -> None:
    alert = said(replace(LIMITS, max_budget=100_000, max_order_qty=0))
    assert alert is not None
    assert alert.action == "widen that limit"
