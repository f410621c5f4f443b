"""Draws docs/images/status-panel.svg: the status panel of a real paced rehearsal, as it stood when shares were held.

python tools/panel_picture.py
"""

import re
import tempfile
from io import StringIO
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI

from qbtrade.app.plan import SimulationPlan, VenuePlan
from qbtrade.app.session import simulate
from qbtrade.app.status import NoScreen, Status
from qbtrade.cli.panel import panel
from qbtrade.kernel.loop import StopRequest

PICTURE: Final = Path(__file__).parent.parent / "docs" / "images" / "status-panel.svg"
PLAN: Final = SimulationPlan(
    seed=3, speed=3_600, venue=VenuePlan(reject_rate=50_000_000)
)  # fmt: skip
COMMAND: Final = f"qb simulate --seed {PLAN.seed} --speed {PLAN.speed}"
FONTS: Final = re.compile(r"@font-face\s*{[^}]*}\s*")
"""Fonts that a browser would fetch from elsewhere."""


class Album(NoScreen):
    """Keeps the panels of a run in which shares are held after some trading."""

    def __init__(self) -> None:
        self.kept: list[Status] = []

    def on_status(self, status: Status) -> None:
        """Keep it when there is something to see."""
        if status.fills > 4 and any(symbol.qty for symbol in status.symbols):  # noqa: PLR2004 (two round trips)
            self.kept.append(status)


def main() -> None:
    """Run, choose the first panel kept, and draw it."""
    album = Album()
    with tempfile.TemporaryDirectory() as home:
        simulate(PLAN, Path(home), album, StopRequest())
    console = Console(file=StringIO(), record=True, width=84)
    console.print(panel(album.kept[0]))
    svg = console.export_svg(title=COMMAND, theme=DIMMED_MONOKAI, unique_id="qb")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(FONTS.sub("", svg), encoding="utf-8")


if __name__ == "__main__":
    main()
