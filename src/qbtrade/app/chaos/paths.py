"""The rare paths of virtual worlds that a long run has to have walked, and which of them it did not."""

from collections.abc import Iterable, Mapping
from typing import Final

from qbtrade.app.chaos.plan import ALL, POINTS

NIGHTLY: Final = frozenset({"overnight-jump", "corporate-action"})
"""What needs several days; thin trades and tight limits are terms of a whole world, and counted nowhere."""
RARE: Final = (
    *(name for name in ALL if name not in {"kill", "power", "thin", "tight", *NIGHTLY}),
    *(f"killed {point}" for point in POINTS),
    "power lost",
    "event OrderUnconfirmed", "event OrderAbandoned", "event OrderNotSent", "event OrderRejected",
    "event CancelRejected", "event FeedLost", "event RiskStateChanged",
    "alert stop-loss", "alert feed-lost", "alert journal-lost", "alert journal-whole", "alert stood-still",
    "alert clock-set", "alert halted-by-hand", "alert symbol-halted", "alert order-left",
)  # fmt: skip
"""Names as verdicts count them."""


def never(verdicts: Iterable[Mapping[str, int]]) -> list[str]:
    """Rare paths that none of these worlds walked."""
    walked = {name for sometimes in verdicts for name, times in sometimes.items() if times}
    return [name for name in RARE if name not in walked]
