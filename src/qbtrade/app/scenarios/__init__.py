"""The six offline scenarios: does this installation work, from the bus to the money?"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.app.scenarios import connectivity, execution, market_data, performance, risk, strategy
from qbtrade.app.scenarios.stage import Checks
from qbtrade.errors import QbError

Figures = dict[str, int | float | str]
SCENARIOS: Final[tuple[tuple[str, Callable[[Path, int, Checks], None]], ...]] = (
    ("connectivity", connectivity.run),
    ("market data", market_data.run),
    ("strategy", strategy.run),
    ("risk", risk.run),
    ("order execution", execution.run),
    ("performance", performance.run),
)


class ScenarioResult(msgspec.Struct, frozen=True):
    """One scenario. figures: what was measured, by name; detail: the first expectation that did not hold, or ""."""

    number: int
    name: str
    passed: bool
    figures: Figures
    detail: str


def run_suite(seed: int = 0) -> tuple[ScenarioResult, ...]:
    """Run all six, each in a folder of its own that is gone afterwards."""
    return tuple(_run(number, name, play, seed) for number, (name, play) in enumerate(SCENARIOS, start=1))


def _run(number: int, name: str, play: Callable[[Path, int, Checks], None], seed: int) -> ScenarioResult:
    checks = Checks()
    try:
        with tempfile.TemporaryDirectory(prefix="qb-") as folder:
            play(Path(folder), seed, checks)
    except QbError as error:
        checks.fail(str(error))
    except Exception as error:  # noqa: BLE001 - a scenario that breaks has failed, and says how
        checks.fail(f"{type(error).__name__}: {error}")
    return ScenarioResult(number, name, not checks.broken, checks.figures, checks.broken)
