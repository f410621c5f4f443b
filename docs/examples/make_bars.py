"""Writes bars.csv anew: four made days of 005930 in five-minute bars. They are not recorded prices.

python docs/examples/make_bars.py docs/examples/bars.csv
"""

import csv
import sys
from datetime import date
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final

from qbtrade.adapters.sim.generator import MockMarket
from qbtrade.app.rules import load_rules
from qbtrade.app.source import mock_days
from qbtrade.domain.calendar import MINUTE, iso_kst
from qbtrade.domain.market import Trade

SYMBOL: Final = "005930"
INTERVAL: Final = 5 * MINUTE
HEADER: Final = ("ts", "symbol", "open", "high", "low", "close", "volume")


def rows() -> list[tuple[str | int, ...]]:
    """Bars of the made market with seed 7, by their beginning."""
    rules = load_rules()
    instrument = rules.instrument(SYMBOL)
    assert instrument is not None  # noqa: S101 (005930 is in the shipped table)
    market = MockMarket(
        SYMBOL,
        mock_days(rules.calendar, date(2026, 11, 2).isoformat(), days=4),
        ticks=4_000,
        price=0,
        volatility=20_000_000,
        scenario="calm",
        tick_table=partial(rules.ticks, instrument),
        seed=7,
    )
    trades = [event for event in market if isinstance(event, Trade)]
    bars = groupby(trades, key=lambda trade: trade.ts - trade.ts % INTERVAL)
    return [(iso_kst(start), SYMBOL, *_fold(list(group))) for start, group in bars]


def _fold(trades: list[Trade]) -> tuple[int, int, int, int, int]:
    prices = [trade.price for trade in trades]
    return prices[0], max(prices), min(prices), prices[-1], sum(trade.qty for trade in trades)


def main(path: Path) -> None:
    """Write the file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADER, *rows()])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
