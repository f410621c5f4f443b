"""What docs/events.md shows: who publishes and who hears each event. Called by cog.

Publishers are found in the code (who builds the event), hearers on the bus of engines wired for a simulation.
"""

import ast
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import qbtrade
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.rules import load_rules
from qbtrade.app.wiring import Engines, Setup, risk_limits, sim_broker
from qbtrade.domain.events import type_of
from qbtrade.domain.message import Event, EventType
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock

SOURCES: Final = Path(qbtrade.__file__).parent
PUBLISHING: Final = ("adapters/**/*.py", "app/*.py", "engines/*.py")
"""Where events are put on the bus of a session."""


class NoStore:
    """A journal that keeps nothing."""

    def append(self, events: Iterable[Event], *, durable: bool) -> None:
        """Forget them."""

    def rescue(self, rows: Iterable[tuple[int, Event]], *, vital: bool) -> None:
        """Forget them."""

    def close(self) -> None:
        """Nothing to write."""


def event_classes() -> dict[str, type[Event]]:
    """Every message by its name in the journal, in the order of EventType."""
    by_tag: dict[Any, type[Event]] = dict(type_of)
    return {name.value: by_tag[name.value] for name in EventType}


def publishers() -> dict[str, list[str]]:
    """The modules that build each event, by class name."""
    names = {cls.__name__ for cls in event_classes().values()}
    found: dict[str, list[str]] = {name: [] for name in sorted(names)}
    for path in sorted(path for pattern in PUBLISHING for path in SOURCES.glob(pattern)):
        module = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
        for name in sorted(_built(path) & names):
            found[name].append(module)
    return found


def hearers() -> dict[str, list[str]]:
    """Who hears each event, in the order in which they hear it, by class name."""
    plan, rules, bus = SimulationPlan(), load_rules(), Bus()
    instruments = tuple(found for symbol in plan.symbols if (found := rules.instrument(symbol)))
    setup = Setup(rules, instruments, 60 * 10**9, risk_limits(plan, 0), plan.cash)
    Engines(bus, SimClock(), setup, NoStore(), sim_broker(plan.venue, 0))
    return {cls.__name__: list(dict.fromkeys(map(_owner, handlers))) for cls, handlers in bus.routes.items()}


def event_table() -> str:
    """One row per event."""
    made, heard = publishers(), hearers()
    rows = [
        " | ".join(
            ("| `" + name + "`", _meaning(cls), _list(made[cls.__name__]), _list(heard.get(cls.__name__, [])) + " |")
        )
        for name, cls in event_classes().items()
    ]
    return "\n".join(
        ["| event | meaning | published by | heard by, in order |", "| --- | --- | --- | --- |", *rows, ""]
    )


def _meaning(cls: type[Event]) -> str:
    return (cls.__doc__ or "").splitlines()[0].partition(". ")[0].rstrip(".")


def _built(path: Path) -> set[str]:
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return {func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in calls}


def _owner(handler: Callable[..., None]) -> str:
    return handler.__module__.removeprefix("qbtrade.")


def _list(modules: list[str]) -> str:
    return ", ".join(f"`{module}`" for module in modules) or "-"
