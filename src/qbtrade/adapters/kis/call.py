"""What a call to KIS is: everything about it but the keys."""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum, StrEnum
from typing import Final, Generic, TypeVar

import msgspec

from qbtrade.adapters.kis.http import Method
from qbtrade.adapters.kis.parse.envelope import Page

T = TypeVar("T")
PATIENCE: Final = 120 * 10**9
"""More than the minute between two requests for a token."""


class Priority(IntEnum):
    """Who goes first when calls are scarce."""

    CANCEL = 0
    PROTECT = 1
    LOOKUP = 2
    ORDER = 3
    BALANCE = 4
    QUOTE = 5


class CallKind(StrEnum):
    """READ may be repeated; ORDER is sent once; KEY is a question without a token."""

    READ = "READ"
    ORDER = "ORDER"
    KEY = "KEY"


class Call(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One thing to ask. Prints no parameter, which may be an account.

    params: query of a GET or body of a POST. ledger: asks the account's ledger, which KIS limits apart.
    parse: turns all pages of the answer into its value. ctx: names of the paging keys. patience: ns of
    machine time after which a call that still waits for its turn is given up, unsent.
    """

    name: str
    tr_id: str
    method: Method
    path: str
    params: Mapping[str, str]
    priority: Priority
    kind: CallKind
    parse: Callable[[Sequence[Page]], T]
    ctx: tuple[str, ...] = ()
    ledger: bool = False
    patience: int = PATIENCE

    def __repr__(self) -> str:
        return f"Call({self.name}, {self.tr_id})"
