"""What may befall a whole market on purpose: sidecars and circuit breakers, as H0STMKO0 tells them.

Source: PROTOCOL of the KIS wire, 6.7 and 7.4.
"""

from collections.abc import Mapping
from datetime import time
from typing import Final, NamedTuple

from qbtrade.adapters.emulator.actions import ACTIONS
from qbtrade.domain.calendar import MINUTE
from qbtrade.errors import UnknownNameError, UsageError


class Incident(NamedTuple):
    """begins, ends: MKOP_CLS_CODE. lasts: ns. halts: nothing trades. closes: nor does it for the rest of the day."""

    begins: str
    ends: str
    lasts: int = 5 * MINUTE
    halts: bool = False
    closes: bool = False


INCIDENTS: Final[Mapping[str, Incident]] = {
    "sell-sidecar": Incident("387", "388"),
    "buy-sidecar": Incident("397", "398"),
    "circuit-breaker": Incident("174", "175", 30 * MINUTE, halts=True),
    "circuit-breaker-3": Incident("174", "", halts=True, closes=True),
}


def incident_at(text: str) -> tuple[str, time]:
    """Read `NAME@HH:MM`. Raises: UnknownNameError, UsageError."""
    name, _, clock = text.partition("@")
    if name not in INCIDENTS:
        raise UnknownNameError("event", name, (*INCIDENTS, *ACTIONS))
    try:
        return name, time.fromisoformat(clock)
    except ValueError as error:
        raise UsageError("{text!r} has no time", hint="Write sell-sidecar@10:30", text=text) from error
