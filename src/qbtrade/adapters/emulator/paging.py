"""Cuts long lists into pages, as KIS does with its context keys and the tr_cont header."""

from collections.abc import Mapping
from typing import Final

import msgspec

from qbtrade.adapters.emulator.answers import Body
from qbtrade.adapters.kis_fields import Dialect, RestTr

_WIDE: Final = 100


class Page(msgspec.Struct, frozen=True):
    """One page and the tr_cont that goes with it."""

    body: Body
    tr_cont: str


def paged(
    transaction: RestTr, side: Dialect, body: Body, params: Mapping[str, str], *, follows: bool, most: int = 0
) -> Page:
    """The page that was asked for: F and M announce another one, D and E end the list. most: rows, 0 for the usual."""
    if not transaction.ctx:
        return Page(body, "")
    context, following = (name.lower() for name in transaction.ctx)
    if following in body:  # it pages by itself
        return Page(body, ("M" if follows else "F") if body[following].strip() else ("E" if follows else "D"))
    block = "output1" if "output1" in body else "output"
    rows, size = body[block], most or transaction.rows[side == "paper"] or len(body[block])
    key = params[transaction.ctx[1]].strip()
    first = int(key) if follows and key.isdigit() else 0
    rest = first + size < len(rows)
    asked = "^".join(value.strip() for name, value in params.items() if name not in transaction.ctx)
    told = {
        context: asked[:_WIDE].ljust(_WIDE),
        following: (str(first + size) if rest else "").ljust(_WIDE),
        **body,
        block: rows[first : first + size],
    }
    return Page(told, ("M" if follows else "F") if rest else ("E" if follows else "D"))
