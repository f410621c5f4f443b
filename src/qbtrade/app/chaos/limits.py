"""What the session of a virtual world may risk: usual limits that it hardly meets, or tight ones."""

from collections.abc import Mapping
from random import Random
from typing import Final

from msgspec.structs import replace

from qbtrade.app.chaos.plan import ChaosPlan
from qbtrade.app.plan import Limits
from qbtrade.domain.money import PPB

USUAL: Final = Limits(max_budget=1_000_000, daily_loss=100_000, max_entries=25, orders_per_minute=60)
TIGHT: Final[Mapping[str, int]] = {
    "daily_loss": 10_000, "max_entries": 3, "orders_per_minute": 2, "cash_share": PPB * 96 // 100,
}  # fmt: skip


def limits_of(plan: ChaosPlan) -> Limits:
    """The limits of a world."""
    rng = Random(f"{plan.seed}:limits")
    return replace(USUAL, **{name: least for name, least in TIGHT.items() if rng.randrange(PPB) < plan.rate("tight")})
