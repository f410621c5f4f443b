"""What REST tells of a stock on a quiet day."""

from typing import Any

from qbtrade.adapters.kis.parse.quotes import Price


def a_price(**changes: Any) -> Price:
    """75,000 won, up to nothing."""
    fields: dict[str, Any] = {
        "last": 75_000, "base": 75_000, "upper": 97_500, "lower": 52_500, "tick": 100, "open": 75_000, "high": 75_500,
        "low": 74_500, "volume": 1_000, "market": "KOSPI", "status": "55", "halted": False, "vi": False,
        "caution": False, "warning": "00", "overheated": False, "liquidation": False, "managed": False,
    }  # fmt: skip
    return Price(**(fields | changes))
