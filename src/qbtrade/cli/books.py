"""Books that disagree, as one table: what qb has, what the broker has, and by how much they differ."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Group
from rich.table import Table
from rich.text import Text

from qbtrade.cli import figures
from qbtrade.cli.text import _
from qbtrade.cli.words import said
from qbtrade.engines.reconcile import Difference


def table(found: Sequence[Difference], action: str) -> Group:
    """For a terminal."""
    grid = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    first, *others = _head()
    grid.add_column(first)
    for name in others:
        grid.add_column(name, justify="right")
    for each in found:
        grid.add_row(*_row(each))
    return Group(Text(_title(action)), grid)


def lines(found: Sequence[Difference], action: str) -> Iterator[str]:
    """For anything else."""
    yield _title(action)
    yield from grid(found)


def grid(found: Sequence[Difference]) -> Iterator[str]:
    """The table alone; Korean letters are two columns wide."""
    rows = [_head(), *map(_row, found)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [set_cell_size(first, widths[0])]
        cells += [" " * (width - cell_len(text)) + text for text, width in zip(others, widths[1:], strict=True)]
        yield "  " + "   ".join(cells)


def _title(action: str) -> str:
    return f"{_('note')}: {_('the books disagree')}; {said(action)}"


def _head() -> tuple[str, str, str, str]:
    return "", "qb", _("broker"), _("difference")


def _yes(number: int) -> str:
    return _("yes") if number else _("no")


def _row(found: Difference) -> tuple[str, str, str, str]:
    match found.what:
        case "cash":
            name = _("cash, won")
        case "shares":
            name = _("{symbol}, shares").format(symbol=found.name)
        case _order:
            name = _("order {number} works").format(number=found.name)
            return name, _yes(found.ours), _yes(found.theirs), ""
    return name, figures.won(found.ours), figures.won(found.theirs), figures.signed(found.theirs - found.ours)
