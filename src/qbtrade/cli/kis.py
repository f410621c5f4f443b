"""`qb kis`: what KIS's error codes mean, what they prove about an order, and what to do."""

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec
import typer

from qbtrade.adapters.kis.codes import CODES, Advice, Verdict
from qbtrade.cli.pages import cells
from qbtrade.cli.text import N_, _
from qbtrade.errors import UnknownNameError

app = typer.Typer(add_completion=False, no_args_is_help=True, help=N_("Look up what KIS says."))
Code = Annotated[str, typer.Argument(metavar="CODE", help=N_("The code, as in APBK0952"))]
Json = Annotated[bool, typer.Option("--json", help=N_("One JSON document on stdout"))]

UNSURE: Final = N_("it may exist all the same; qb looks it up and never sends it again")
PROOF: Final = {Verdict.TAKEN: N_("it was taken"), Verdict.REFUSED: N_("it was refused, for certain")}
SURENESS: Final = {
    "official": N_("KIS says so"),
    "measured": N_("seen by others, not written by KIS"),
    "unverified": N_("unverified"),
}


@app.command(help=N_("Tell what one error code means and what to do."))
def error(code: Code, *, json: Json = False) -> None:
    """Tell what one error code means and what to do."""
    row = CODES.get(code.strip().upper())
    if row is None:
        raise UnknownNameError("KIS code", code, CODES)
    typer.echo(_document(row) if json else page(row))


@app.command(help=N_("List every error code that qb knows."))
def codes(*, json: Json = False) -> None:
    """List every error code that qb knows."""
    rows = tuple(CODES.values())
    typer.echo(_document(rows) if json else "\n".join(f"{row.code:<9} {_(row.meaning)}" for row in rows))


def page(row: Advice) -> str:
    """One code as plain text."""
    lines = (
        (_("meaning"), _(row.meaning)),
        (_("what to do"), _(row.advice)),
        (_("an order that met it"), _(PROOF.get(row.verdict, UNSURE))),
        (_("how sure"), _(SURENESS[row.sure])),
    )
    return "\n".join([row.code, *_aligned(lines)])


def _aligned(lines: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(lines)
    width = max(cells(label) for label, _text in rows) + 2
    return [f"  {label}{' ' * (width - cells(label))}{text}" for label, text in rows]


def _document(value: object) -> str:
    return msgspec.json.encode(value).decode()
