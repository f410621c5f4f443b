"""Stored market data as the source of a rehearsal."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from qbtrade.adapters.market_store.layout import TRADES, market_folder, sheets
from qbtrade.app.units import duration, write_duration
from qbtrade.domain.calendar import kst_date
from qbtrade.errors import NoRowsError, UsageError

PREFIX: Final = "recorded:"
"""Begins a source that names what is stored, as in `recorded:1m`."""


def files_of(source: Sequence[str], home: Path, symbols: Sequence[str], start: int, end: int) -> tuple[str, ...]:
    """The files or folders that a source means: its own, or those of the store.

    start, end: UTC ns, half open, 0 for no bound. Raises: NoRowsError where nothing is stored; UsageError.
    """
    named = [each for each in source if each.startswith(PREFIX)]
    if not named:
        return tuple(source)
    if len(source) > 1:
        raise UsageError("--source: {name} stands alone", hint="Leave out the files", name=named[0])
    said = named[0].removeprefix(PREFIX).strip().lower()
    kind = said if said == TRADES else _length(said)
    found = [
        sheet
        for sheet in sheets(market_folder(home, is_emulated=False), kind)
        if (not symbols or sheet.symbol in symbols) and (sheet.day is None or _holds(start, end, sheet.day.toordinal()))
    ]
    if not found:
        raise NoRowsError(
            "nothing of {kind} is stored of {symbols} for this time", kind=kind,
            symbols=", ".join(symbols) or "any symbol",
            hint="`qb data list` shows what is there, `qb data download` and `import` bring more",
        )  # fmt: skip
    return tuple(dict.fromkeys(str(sheet.path if sheet.day is None else sheet.path.parent) for sheet in found))


def _length(said: str) -> str:
    try:
        return write_duration(duration("--source", said, least=1))
    except UsageError as error:
        hint = "Write recorded, recorded:RUN, recorded:latest, recorded:trades or recorded:1m"
        raise UsageError("--source: {said!r} is not stored market data", hint=hint, said=f"{PREFIX}{said}") from error


def _holds(start: int, end: int, day: int) -> bool:
    return (not start or kst_date(start).toordinal() <= day) and (not end or day <= kst_date(end - 1).toordinal())
