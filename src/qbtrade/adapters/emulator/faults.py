"""What may go wrong on purpose, by name, each drawn from its own seeded source."""

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Final

from qbtrade.adapters.kis_fields import Dialect
from qbtrade.domain.money import PPB
from qbtrade.errors import UnknownNameError

FAULTS: Final[Mapping[str, str]] = {
    "answer-lost": "an order or cancel is taken, the connection closes without an answer",
    "timeout-taken": "EGW00302 for an order or cancel that was taken",
    "timeout-not-taken": "EGW00301 for an order or cancel that was not taken",
    "limit-taken": "EGW00201 for an order or cancel that was taken",
    "exchange-reject": "the broker accepts, the exchange refuses later",
    "late-rows": "a new order appears in the order lists only after 5 s",
    "empty-rows": "the list of today's orders has totals but no rows; always on for paper unless set to 0",
    "short-pages": "lists come in pages of five rows",
    "data-changed": "a following page says that the data changed meanwhile",
    "other-case": "keys of an answer's output come in the other case",
    "notice-first": "the notice comes before the HTTP answer, which is 300 ms late",
    "notice-missing": "a notice is never sent",
    "notice-twice": "a notice is sent twice",
    "notice-foreign": "a notice of another account comes beside each",
    "balance-lag": "a fill shows in the balance only after 8 s",
    "holding-split": "a holding is told in two rows",
    "ledger-busy": "EGW00215 for balance and order lists",
    "limit-as-200": "the rate limit is told with HTTP 200 instead of 500",
    "approval-limit": "EGW00201 for a second approval key within a second",
    "token-death": "the token of a call dies before its time",
    "order-token-death": "the token of an order or cancel dies before its time",
    "token-stays-dead": "asking again within 6 h hands back the token that died",
    "server-error": "HTTP 500 with an HTML page",
    "truncated-json": "the JSON of an answer ends in the middle",
    "slow-answer": "the answer is 8 s late",
    "bad-utf8": "a data frame carries a byte that is not UTF-8",
    "frame-missing": "a frame of trades, quotes or the market's operation is never sent",
    "ping-silence": "a PINGPONG that is due is not sent",
    "socket-drop": "the stream ends without a close frame, drawn every 10 s",
    "zombie-slot": "the slot of a stream that ended stays taken for 60 s",
    "friday-restart": "all streams drop at noon on Fridays",
}
"""Every fault and what it does."""

_ALWAYS_ON_PAPER: Final = {"empty-rows": PPB}


class Faults:
    """Draws for each fault. rates: ppb by name. happened: how often each did. Raises: UnknownNameError."""

    def __init__(self, rates: Mapping[str, int], seed: int, side: Dialect) -> None:
        self._rates = dict(_ALWAYS_ON_PAPER) if side == "paper" else {}
        self.happened = Counter[str]()
        self._draws = {name: Random(f"{seed}:{name}") for name in FAULTS}
        for name, rate in rates.items():
            self.set(name, rate)

    def set(self, name: str, rate: int) -> None:
        """Change how often a fault happens from now on. rate: ppb. Raises: UnknownNameError."""
        if name not in FAULTS:
            raise UnknownNameError("fault", name, FAULTS)
        self._rates[name] = rate

    def hits(self, name: str) -> bool:
        """Draw once; draws nothing for a fault that is off."""
        rate = self._rates.get(name, 0)
        if rate <= 0 or self._draws[name].randrange(PPB) >= rate:
            return False
        self.happened[name] += 1
        return True
