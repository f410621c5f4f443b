"""The servers that a session writes to for others, as configured."""

import msgspec

from qbtrade.adapters.kis.environment import Secret
from qbtrade.app.config import Settings


class ViewPlan(msgspec.Struct, frozen=True):
    """url: of Redis, with its password; "" for no views. halt_key: what halts over Redis are signed with.

    database: address of PostgreSQL, with its password; "" for none.
    """

    url: Secret = Secret("")
    halt_key: Secret = Secret("")
    database: Secret = Secret("")


def view_plan(settings: Settings) -> ViewPlan:
    """As configured."""
    return ViewPlan(
        Secret(settings.value("redis_url") or ""),
        settings.value("redis_halt_key") or Secret(""),
        Secret(settings.value("database_url") or ""),
    )
