"""`qb rules`: tick sizes, price band, hours and costs of a symbol on a day, each with the row that says so."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

import msgspec
import typer

from qbtrade.app.rules import RulesView, rules_for
from qbtrade.app.units import PERCENT
from qbtrade.cli.figures import won
from qbtrade.cli.pages import cells, option
from qbtrade.cli.text import N_, _
from qbtrade.cli.words import word
from qbtrade.domain.calendar import Row, kst_date
from qbtrade.errors import UsageError
from qbtrade.kernel.clock import wall_ns

SYMBOL = "005930"
SURENESS = {"medium": N_("fairly sure"), "unverified": N_("unverified")}

Day = Annotated[
    str | None, option("--date", metavar="DATE", default=_("today"), text=_("The day in question, as in 2024-12-27"))
]
Symbol = Annotated[str, typer.Option("--symbol", metavar="SYMBOL", help=_("What is traded"))]
Market = Annotated[
    str, option("--market", metavar="NAME", text=_("KOSPI, KOSDAQ or KONEX, for a symbol that qb does not know"))
]
Kind = Annotated[str, option("--kind", metavar="NAME", text=_("STOCK, ETF or ETN, for a symbol that qb does not know"))]
Json = Annotated[bool, typer.Option("--json", help=_("One JSON document on stdout"))]


def rules(
    day: Day = None, symbol: Symbol = SYMBOL, market: Market = "", kind: Kind = "", *, json: Json = False
) -> None:
    """Show tick sizes, costs and hours that hold on a day."""
    view = rules_for(_day(day), symbol, market, kind)
    typer.echo(msgspec.json.encode(view).decode() if json else page(view))


def page(view: RulesView) -> str:
    """The rules as plain text."""
    instrument = view.instrument
    title = f"{view.day}  {instrument.symbol}  {instrument.name}".rstrip() + f"  {instrument.market} {instrument.kind}"
    sections = list(_sections(view))
    width = max(cells(label) for label, _lines in sections) + 2
    lines = [title]
    for label, texts in sections:
        lines.append("")
        for number, text in enumerate(texts):
            head = "" if number else label
            lines.append(f"  {head}{' ' * (width - cells(head))}{text}")
    return "\n".join(lines)


def _sections(view: RulesView) -> Iterator[tuple[str, list[str]]]:
    yield _("trading day"), [_trading(view)]
    if view.hours:
        hours = [f"{span.start:%H:%M}-{span.end:%H:%M}  {word(span.phase)}" for span in view.hours.phases]
        yield _("hours (KST)"), [*hours, *_origin(view.hours)]
    steps = [_("{tick} won from {price}").format(tick=won(tick), price=won(price)) for price, tick in view.ticks.steps]
    yield _("tick size"), [*steps, *_origin(view.ticks)]
    example = view.band_example
    limits = _("{rate}: from {lower} to {upper} around a base price of {base}").format(
        rate=_rate(view.band.ppb), lower=won(example.lower), upper=won(example.upper), base=won(example.base)
    )
    yield _("price band"), [limits, *_origin(view.band)]
    yield _("commission"), [_rate(view.commission.ppb), *_origin(view.commission)]
    if view.tax and view.settlement_day:
        tax = _("{rate} of a sale that settles on {day}").format(rate=_rate(view.tax.ppb), day=view.settlement_day)
        yield _("tax"), [tax, *_origin(view.tax)]


def _trading(view: RulesView) -> str:
    answer = _("no ({why})").format(why=_(view.closed)) if view.closed else _("yes")
    return answer + ", " + _("the next one is {day}").format(day=view.next_day)


def _origin(row: Row) -> Iterator[str]:
    span = _("since {first}").format(first=row.since)
    if row.until:
        span = _("{first} to {last}").format(first=row.since, last=row.until)
    sure = f" ({_(SURENESS[row.sure])})" if row.sure in SURENESS else ""
    yield f"{span}{sure}: {row.source}"
    if row.note:
        yield _(row.note)


def _rate(ppb: int) -> str:
    whole, rest = divmod(ppb, PERCENT)
    return f"{whole}.{rest:07d}".rstrip("0").rstrip(".") + " %"


def _day(text: str | None) -> date:
    if text is None:
        return kst_date(wall_ns())
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError("{text!r} is not a date", hint="Write 2024-12-27", text=text) from None
