"""What a session begins with and no fill of ours explains: each is a correction with its evidence."""

from collections.abc import Iterator, Mapping

import msgspec

from qbtrade.app.live.halting import SOLD_ELSEWHERE
from qbtrade.domain.events import BookCorrected

Shares = Mapping[str, tuple[int, int]]


class Began(msgspec.Struct, frozen=True):
    """Our book with every fill that the broker tells. positions: shares and cost; foreign: shares of others."""

    cash: int
    positions: dict[str, tuple[int, int]]
    foreign: dict[str, int]
    aside: int


def corrections(
    was: Began, held: Shares, foreign: Mapping[str, int], cash: int, aside: int,
    decided: Mapping[str, tuple[str, str]], *, same_day: bool,
) -> tuple[BookCorrected, ...]:  # fmt: skip
    """From that book to the one of the session, without the time.

    decided: what became of shares whose base price changed, and why. same_day: the last session was today's.
    """
    shares = tuple(_shares(was, held, foreign, cash, aside, decided))
    moved = cash + aside - was.cash - was.aside
    if not moved:
        return shares
    what = "overnight" if not same_day else "deposit" if moved > 0 else "withdrawal"
    ours = was.cash + was.aside
    return (*shares, BookCorrected(0, what, "", ours, cash + aside, (), 0, 0, 0, cash, aside))


def _shares(
    was: Began, held: Shares, foreign: Mapping[str, int], cash: int, aside: int, decided: Mapping[str, tuple[str, str]]
) -> Iterator[BookCorrected]:
    for symbol in sorted(was.positions.keys() | was.foreign.keys() | held.keys() | foreign.keys()):
        (own, _cost), (qty, cost) = was.positions.get(symbol, (0, 0)), held.get(symbol, (0, 0))
        before, after = was.foreign.get(symbol, 0), foreign.get(symbol, 0)
        what, reason = decided.get(symbol, ("", ""))
        if not what and (qty, after) == (own, before):
            continue
        what = what or (SOLD_ELSEWHERE if qty < own else "shares-came" if after > before else "shares-went")
        yield BookCorrected(
            0, what, symbol, own + before, qty + after, (), qty, cost, after, cash, aside, reason=reason
        )  # fmt: skip
