"""The market's operation: whether a stock may trade, and what befalls its whole market.

Source: PROTOCOL section 6.7 (KIS workbook, H0STMKO0). Records carry no time and are not sent again after a reconnect.
"""

from typing import Final

from qbtrade.adapters.kis.events import MarketEvent, Operation, OperationUnread
from qbtrade.adapters.kis.frames import OPERATIONS, Frame, records, symbol_of
from qbtrade.adapters.kis.parse.quotes import SUSPENDED
from qbtrade.adapters.kis_fields import position
from qbtrade.errors import WireError

_HALTED, _EVENT, _STATUS, _VI = (
    position(OPERATIONS, name) for name in ("TRHT_YN", "MKOP_CLS_CODE", "ISCD_STAT_CLS_CODE", "VI_CLS_CODE")
)
_CLAIMS: Final = {"Y": True, "N": False}
_EVENTS: Final = {
    "164": MarketEvent.BREAKER, "174": MarketEvent.BREAKER, "184": MarketEvent.BREAKER,
    "175": MarketEvent.BREAKER_OVER, "185": MarketEvent.BREAKER_OVER,
    "387": MarketEvent.SELL_SIDECAR, "388": MarketEvent.SELL_SIDECAR_OVER,
    "397": MarketEvent.BUY_SIDECAR, "398": MarketEvent.BUY_SIDECAR_OVER,
}  # fmt: skip
"""What a code means for trading; all others tell hours, which come from the calendar."""


def read_operations(frame: Frame, now: int) -> list[Operation | OperationUnread]:
    """Every record of a frame, or why it cannot be read."""
    try:
        values, width = records(OPERATIONS, frame.count, frame.payload)
    except WireError as error:
        return [OperationUnread(now, error.problem)]
    return [_operation(values[at : at + width], now) for at in range(0, len(values), width)]


def _operation(values: list[str], now: int) -> Operation | OperationUnread:
    fields = [value.strip() for value in values]
    try:
        symbol = symbol_of(fields[0])
    except ValueError:
        return OperationUnread(now, "a record without a stock")
    halted = True if fields[_STATUS] == SUSPENDED else _CLAIMS.get(fields[_HALTED])
    return Operation(now, symbol, halted, _CLAIMS.get(fields[_VI]), _EVENTS.get(fields[_EVENT]))
