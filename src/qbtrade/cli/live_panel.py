"""How a session is joined to the broker: rows of the panel and of the line."""

from typing import Final

from qbtrade.app.status import WireStatus
from qbtrade.cli import figures
from qbtrade.cli.text import _
from qbtrade.cli.words import word
from qbtrade.domain.calendar import DAY, NS

Cell = tuple[str, str, str]
_SOON: Final = 30 * 60 * NS
_STREAMS: Final = {"open": "green", "lost": "bold red"}


def cells(wire: WireStatus, ts: int) -> list[Cell]:
    """Label, value and style of each figure. ts: UTC ns of the picture."""
    left = max(wire.token_until - ts, 0)
    rows = [
        (_("Account"), wire.account, ""),
        (_("Stream"), word(wire.stream), _STREAMS.get(wire.stream, "")),
        (_("Token"), figures.age(min(left, DAY)) if wire.token_until else "-", "" if left > _SOON else "yellow"),
        (_("Calls"), f"{wire.calls} / {wire.calls_allowed}", ""),
        (_("To order"), took(wire.to_order), ""),
        (_("To answer"), took(wire.to_ack), ""),
        (_("To fill"), took(wire.to_fill), ""),
    ]
    if wire.behind >= 0:
        rows.append((_("PostgreSQL lacks"), _("{count} rows").format(count=f"{wire.behind:,}"), ""))
    if wire.opens_in:
        rows.append((_("Opens in"), figures.age(wire.opens_in), "bold"))
    return rows


def took(ns: int) -> str:
    """A latency in words."""
    return "-" if ns < 0 else f"{ns / 1e6:,.1f} ms"


def line(wire: WireStatus) -> str:
    """The same in a few words."""
    parts = [f"{word(wire.environment)} {word(wire.stream)}", f"{wire.calls}/{wire.calls_allowed}", took(wire.to_ack)]
    if wire.opens_in:
        parts.insert(0, _("opens in {time}").format(time=figures.age(wire.opens_in)))
    return ", ".join(parts)
