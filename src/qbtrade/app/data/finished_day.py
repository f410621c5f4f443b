"""A recorded day that is over, handed to the long memory by whoever recorded it."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final

from qbtrade.adapters.market_store.layout import RECORDED, Sheet
from qbtrade.app.config import configured
from qbtrade.app.data.stored import Stored
from qbtrade.app.recordings import days_of
from qbtrade.errors import QbError

PATIENCE: Final = 120.0
"""Machine seconds for the day of one symbol. A very large one takes five."""


def remember_day(home: Path, run_id: str, day: date, symbols: Iterable[str], patience: float = PATIENCE) -> str:
    """Load what one run recorded of its day, where a database is configured. What went wrong, in words, or "".

    It may be done again at any time: `qb data load`.
    """
    url = configured("database_url")
    sheets = [
        Sheet(each.market, RECORDED, each.symbol, each.day)
        for each in days_of(home, run_id, day, symbols) if each.parquet.exists()
    ]  # fmt: skip
    if not (url and sheets):
        return ""
    from qbtrade.adapters.store.postgres.errand import within
    from qbtrade.app.data.memory import remember

    def load(sheet: Sheet) -> str:
        return next(remember(url, Stored(home), [sheet])).problem

    try:
        problems = [within(patience, lambda sheet=sheet: load(sheet)) for sheet in sheets]  # type: ignore[misc]
    except QbError as error:
        return error.message
    return next(filter(None, problems), "")
