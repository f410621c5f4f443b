"""Compares the series of a symbol: minutes and trades lie within the daily bar of their day."""

from collections.abc import Iterator, Sequence
from typing import Final

from qbtrade.adapters.market_store.layout import RECORDED, Basis
from qbtrade.app.data.day import LATE, Day
from qbtrade.app.data.finding import Finding, Series, amiss
from qbtrade.app.data.holes import Checked

ROUGH: Final = 500
"""Adjusted daily prices were rounded: a 500th is no difference."""


def beside_daily(all_checked: Sequence[Checked]) -> Iterator[Finding]:
    """Days on which shorter rows go beyond the daily bar. Days that do not overlap at all are of another basis."""
    daily = {each.series.symbol: each for each in all_checked if each.series.is_daily}
    for each in all_checked:
        whole = daily.get(each.series.symbol)
        is_of_a_run = each.series.kind.startswith(f"{RECORDED}:")  # whose market was another one
        if whole is not None and whole is not each and not is_of_a_run:
            rough = 0 if whole.series.basis is Basis.RAW else 1
            days = {day.day: day for day in whole.days}
            for day in each.days:
                if day.day in days:
                    yield from _beyond(each.series, day, days[day.day], rough)


def _beyond(series: Series, day: Day, whole: Day, rough: int) -> Iterator[Finding]:
    has_after_market = day.ended > day.session.close + LATE  # which the daily bar need not have
    if has_after_market or not whole.volume or day.low > whole.high or whole.low > day.high:
        return
    slack = rough * whole.high // ROUGH
    if day.low < whole.low - slack or day.high > whole.high + slack:
        low, high, lowest, highest = day.low, day.high, whole.low, whole.high
        text = f"prices from {low} to {high} go beyond the daily bar, {lowest} to {highest}"
        yield amiss(text, "beyond-day", series, day.day)
