"""How others may watch a session, as configured."""

import msgspec

from qbtrade.adapters.kis.environment import Secret
from qbtrade.app.config import Settings


class ViewPlan(msgspec.Struct, frozen=True):
    """url: of Redis, with its password; "" for no views. halt_key: what halts over Redis are signed with."""

    url: Secret = Secret("")
    halt_key: Secret = Secret("")


def view_plan(settings: Settings) -> ViewPlan:
    """As configured."""
    return ViewPlan(Secret(settings.value("redis_url") or ""), settings.value("redis_halt_key") or Secret(""))
