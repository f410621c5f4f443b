"""`qb report parity`: a live session beside the replay of its recorded day."""

import sys
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qbtrade import __version__
from qbtrade.app.home import home
from qbtrade.app.parity.deals import Deal
from qbtrade.app.parity.judge import Class, Verdict, Why
from qbtrade.app.parity.run import Parity, parity
from qbtrade.cli import figures
from qbtrade.cli.screen import print_page
from qbtrade.cli.text import N_, _
from qbtrade.cli.words import word
from qbtrade.domain.calendar import iso_kst
from qbtrade.errors import ExitCode

CLASSES: Final = {
    Class.SAME: N_("same"),
    Class.FILL_MODEL: N_("fill model"),
    Class.LATENCY: N_("latency"),
    Class.MISSED_SIGNAL: N_("missed signal"),
    Class.GAP: N_("gap in the data"),
    Class.RULE: N_("rule"),
    Class.HAND: N_("by hand"),
    Class.RESTART: N_("restart"),
    Class.UNEXPLAINED: N_("unexplained"),
}
NAMES: Final = frozenset({"rule", "reason"})
"""Values that are words of ours."""
SENTENCES: Final = {
    Why.SAME: "",
    Why.FILLED_OTHERWISE: N_("the simulated exchange fills otherwise: no book, slippage, a share of each print"),
    Why.FILLED_LATER: N_("first share {here:,} ms after the request, in the replay {there:,} ms"),
    Why.PRICED_AFTER_ANOTHER_TRADE: N_("limit {here:,}, in the replay {there:,}: another trade came first"),
    Why.REFUSED_BY_BROKER: N_("the broker refused it"),
    Why.ANSWER_LOST: N_("the broker's answer was lost"),
    Why.EARLIER_TRADE: N_("{order} went otherwise: {here:,} shares, in the replay {there:,}"),
    Why.RULE_SAW_OTHERWISE: N_("{rule}: {here:,}, in the replay {there:,}, limit {limit:,} ({unit})"),
    Why.TRADING_NARROWED: N_("trading was narrowed: {reason}"),
    Why.BY_HAND: N_("others changed the account"),
    Why.SESSION_END: N_("sold at the end of the session, which the replay has not"),
    Why.LEFT_OVER: N_("an order of an earlier session"),
    Why.BARS_DIFFER: N_("the recording lacks trades, so its bars differ"),
    Why.DATA_MISSING: N_("limit {here:,}, in the replay {there:,}: the recording lacks data"),
    Why.RECORDING_ENDS: N_("the recording ends before it"),
    Why.STRATEGY_FAILED: N_("the strategy had failed"),
    Why.SOURCE_CHANGED: N_("no cause was found but that the strategy was changed since"),
    Why.NO_CAUSE: N_("no cause was found"),
}


def show(name: str, *, json: bool) -> None:
    """Compare, and end with 1 when anything is left unexplained."""
    found = parity(home(), name)
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(document(found))).decode() + "\n")
    else:
        print_page(Group(*_page(found)), sys.stdout)
    raise typer.Exit(ExitCode.DONE if found.is_explained else ExitCode.FAILED)


def document(found: Parity) -> dict[str, Any]:
    """What `--json` says."""
    return {
        "run_id": found.run_id, "day": found.day, "symbols": found.symbols, "strategy": found.strategy,
        "explained": found.is_explained, "counts": found.counts,
        "bars": {"same": found.bars, "different": found.differing},
        "recording": {"whole": found.is_whole, "holes": found.holes, "torn_bytes": sum(e.lost for e in found.damages)},
        "version": found.version, "same_strategy_source": found.is_same_source,
        "trades": [_row(verdict) for verdict in found.verdicts],
    }  # fmt: skip


def _row(verdict: Verdict) -> dict[str, Any]:
    deal = verdict.deal
    return {
        "ts": iso_kst(deal.ts), "symbol": deal.symbol, "side": deal.side, "purpose": deal.purpose,
        "class": verdict.cls, "why": verdict.why, "values": verdict.values, "live": _side(verdict.live),
        "replay": _side(verdict.replayed),
    }  # fmt: skip


def _side(deal: Deal | None) -> dict[str, Any] | None:
    if deal is None:
        return None
    return {
        "order_id": deal.order_id, "ts": iso_kst(deal.ts), "qty": deal.qty, "price": deal.price, "denied": deal.denied,
        "filled_qty": deal.filled, "filled_amount": deal.amount,
        "filled_at": iso_kst(deal.filled_at) if deal.filled_at else None,
    }  # fmt: skip


def _page(found: Parity) -> Iterator[RenderableType]:
    yield Text(_("Parity of {run_id}").format(run_id=found.run_id), style="bold")
    yield Text(f"{', '.join(found.symbols)}  {found.strategy}  {found.day}")
    yield ""
    yield _table(found)
    yield ""
    counts = found.counts
    yield Text("  ".join(f"{_(CLASSES[cls])} {count:,}" for cls, count in counts.items()))
    bars = _("{bars:,} bars alike, {different:,} differ").format(bars=found.bars, different=found.differing)
    yield Text(bars, style="yellow" if found.differing else "")
    for damage in found.damages:
        lost = _("{path} was torn: {lost:,} bytes are lost, the rest is read")
        yield Text(lost.format(path=damage.path, lost=damage.lost), style="yellow")
    if found.holes:
        yield Text(_("the recording has {holes:,} holes").format(holes=found.holes), style="yellow")
    if not found.is_whole:
        yield Text(_("the recording ends before the session did"), style="yellow")
    yield from _changes(found)
    if found.is_explained:
        yield Text(_("every difference is explained"), style="green")
    else:
        yield Text(_("something is not explained"), style="bold red")


def _changes(found: Parity) -> Iterator[RenderableType]:
    """What is no longer as it was when the session ran."""
    if not found.is_same_source:
        line = _(
            "{strategy} reads otherwise than when this session ran: the replay runs what stands there now,"
            " and any difference may come from that"
        )
        yield Text(line.format(strategy=found.strategy), style="yellow")
    if found.version != __version__:
        line = _("qb {then} ran this session, {now} replays it: any difference may come from that")
        yield Text(line.format(then=found.version, now=__version__), style="yellow")


def _table(found: Parity) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in (_("Time"), _("Symbol"), _("Side"), _("Purpose"), _("Session"), _("Replay"), _("Difference"), ""):
        table.add_column(name, no_wrap=name != "")
    for verdict in found.verdicts:
        deal, is_bad = verdict.deal, verdict.cls is Class.UNEXPLAINED
        table.add_row(
            iso_kst(deal.ts)[11:19], deal.symbol, word(deal.side), word(deal.purpose), _cell(verdict.live),
            _cell(verdict.replayed), _(CLASSES[verdict.cls]), sentence(verdict),
            style="bold red" if is_bad else "dim" if verdict.cls is Class.SAME else "",
        )  # fmt: skip
    return table


def _cell(deal: Deal | None) -> str:
    if deal is None:
        return "-"
    if deal.denied:
        return f"{deal.order_id} {word(deal.denied)}"
    price = f" {figures.won(deal.amount // deal.filled)}" if deal.filled else ""
    return f"{deal.order_id} {deal.filled:,}/{deal.qty:,}{price}"


def sentence(verdict: Verdict) -> str:
    """What shows the difference, in the user's language."""
    text = SENTENCES[verdict.why]
    values = {name: word(str(value)) if name in NAMES else value for name, value in verdict.values.items()}
    return _(text).format(**values) if text else ""
