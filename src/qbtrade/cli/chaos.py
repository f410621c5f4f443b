"""`qb chaos`: the simulator of faults."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, time
from itertools import chain
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from qbtrade.app import units
from qbtrade.app.chaos.many import load, plans, save, shrunk, verdicts
from qbtrade.app.chaos.market import MOST_DAYS, START
from qbtrade.app.chaos.paths import never
from qbtrade.app.chaos.plan import ALL, ChaosPlan, drawn
from qbtrade.app.chaos.points import Place, places, reference, walk
from qbtrade.app.chaos.resolved import figures
from qbtrade.app.chaos.run import Verdict, run
from qbtrade.app.home import create, home
from qbtrade.cli.pages import option
from qbtrade.cli.text import _
from qbtrade.domain.calendar import KST, NS
from qbtrade.domain.money import PPB
from qbtrade.errors import ExitCode, UnknownNameError, UsageError
from qbtrade.kernel.clock import Stopwatch

ENOUGH: Final = 200
"""Worlds in which every rare path should be walked."""
LONGEST: Final = 300
"""Minutes with faults, at most."""
MOST_SHRUNK: Final = 3
"""Failing seeds of a run that are made smaller."""

Seed = Annotated[str, typer.Option("--seed", metavar="N", help=_("The first seed; it decides everything"))]
Runs = Annotated[str, typer.Option("--runs", metavar="N", help=_("So many seeds in a row"))]
FaultList = Annotated[
    list[str] | None,
    option("--fault", metavar="NAME[=RATE]", text=_("Something that goes wrong, always or at a rate; repeatable")),
]
Days = Annotated[
    str | None, option("--days", metavar="D", default="1", text=_("So many trading days, with the nights between"))
]
Until = Annotated[
    str | None, option("--until", metavar="TIME", default="09:11", text=_("Market time at which the faults end"))
]
Plan = Annotated[str | None, option("--plan", metavar="FILE", text=_("Play the world of a file that qb chaos wrote"))]
Trace = Annotated[bool, typer.Option("--trace", help=_("Print what happened, line by line"))]
Processes = Annotated[
    str | None, option("--processes", metavar="N", default=_("one for each core"), text=_("How many seeds at once"))
]
CrashPoints = Annotated[
    bool,
    typer.Option(
        "--crash-points", help=_("End a process before and after every write and every order of one world, in turn")
    ),
]
ListFaults = Annotated[bool, typer.Option("--faults", help=_("List what can go wrong and end"))]
Json = Annotated[bool, typer.Option("--json", help=_("One JSON document on stdout"))]


def chaos(
    *,
    seed: Seed = "0", runs: Runs = "1", days: Days = None, fault: FaultList = None, until: Until = None,
    plan: Plan = None, processes: Processes = None, trace: Trace = False, faults: ListFaults = False,
    crash_points: CrashPoints = False, json: Json = False,
) -> None:  # fmt: skip
    """Play worlds in which much goes wrong, and say which promises broke."""
    if faults:
        width = max(map(len, ALL))
        typer.echo("\n".join(f"{name:<{width}}  {_(text)}" for name, text in ALL.items()))
        return
    first, number = units.whole("--seed", seed), units.whole("--runs", runs, least=1, most=10**9)
    said, on_days = dict(map(_fault, fault or ())), units.whole("--days", days, least=1, most=MOST_DAYS) if days else 1
    wanted = [load(Path(plan))] if plan else list(plans(first, number, said, _trouble(until), on_days))
    if crash_points:
        wanted = list(chain.from_iterable(map(walk, reference(first, said))))
    if trace:
        _trace(wanted)
        return
    at_once = units.whole("--processes", processes, least=1, most=1000) if processes else 1 if len(wanted) == 1 else 0
    watch = Stopwatch()
    found = list(verdicts(wanted, processes=at_once))
    broken = [verdict for verdict in found if verdict.broken]
    kept = [] if plan else list(_keep(broken[:MOST_SHRUNK]))
    ended_at = places(found) if crash_points else []
    if json:
        told = {
            "worlds": len(found),
            "broken": broken,
            "sometimes": _sum(found),
            "places": ended_at,
            "never": never(verdict.sometimes for verdict in found),
            "resolved": _took(found),
        }
        typer.echo(msgspec.json.encode(told).decode())
    else:
        typer.echo("\n".join((*page(found, watch.seconds(), at_once or os.cpu_count() or 1, kept), *table(ended_at))))
    if broken:
        raise typer.Exit(ExitCode.FAILED)


def page(found: list[Verdict], seconds: float, cores: int, kept: list[Path]) -> Iterator[str]:
    """The result as plain text."""
    broken = [verdict for verdict in found if verdict.broken]
    rate = len(found) * 60 / seconds
    yield _(
        "{worlds:,} worlds in {seconds:,.1f} s, {rate:,.0f} a minute, {each:,.0f} a core; promises broke in {broken:,}"
    ).format(worlds=len(found), seconds=seconds, rate=rate, each=rate / cores, broken=len(broken))
    rare, missed = _sum(found), never(verdict.sometimes for verdict in found)
    width = max(map(len, rare), default=0)
    yield from (f"  {name:<{width}}  {times:>9,}" for name, times in sorted(rare.items()))
    if missed and len(found) >= ENOUGH:
        yield _("never happened: {paths}").format(paths=", ".join(missed))
    for side, told in _took(found).items():
        if told["orders"]:
            yield _(
                "{orders:,} unconfirmed orders found on {side}: half within {p50_ms:,} ms, 99 % within {p99_ms:,} ms"
            ).format(side=side, **told)
    for verdict in broken:
        yield ""
        again = f": qb chaos --seed {verdict.plan.seed} --trace" if verdict.plan == drawn(verdict.plan.seed) else ""
        yield f"seed {verdict.plan.seed} ({verdict.plan.side}){again}"
        yield from (f"  {promise}" for promise in verdict.broken)
    for path in kept:
        yield ""
        yield _("the smallest world that still fails: qb chaos --plan {path} --trace").format(path=path)


def table(ended_at: list[Place]) -> Iterator[str]:
    """What became of worlds whose processes ended at a place, one line for each place."""
    if not ended_at:
        return
    width = max(len(place.name) for place in ended_at)
    yield ""
    yield f"{_('a process ended here'):<{width}}  {_('worlds'):>8} {_('ends'):>8} {_('broken'):>8}"
    yield from (f"{at.name:<{width}}  {at.worlds:>8,} {at.ends:>8,} {at.broken:>8,}" for at in ended_at)


def _sum(found: Iterable[Verdict]) -> Counter[str]:
    total = Counter[str]()
    for verdict in found:
        total.update(verdict.sometimes)
    return total


def _took(found: Iterable[Verdict]) -> dict[str, dict[str, int]]:
    """How long unconfirmed orders took to be found, by side."""
    waits: dict[str, list[int]] = {"real": [], "paper": []}
    for verdict in found:
        waits[verdict.plan.side].extend(verdict.resolved)
    return {side: figures(each) for side, each in waits.items()}


def _trace(wanted: Iterable[ChaosPlan]) -> None:
    for plan in wanted:
        verdict = run(plan, keeps_lines=True)
        typer.echo("\n".join((*verdict.lines, *verdict.broken, f"trace {verdict.trace_hash}")))
        if verdict.broken:
            raise typer.Exit(ExitCode.FAILED)


def _keep(broken: Iterable[Verdict]) -> Iterator[Path]:
    """Make the worlds of failing seeds smaller and keep them."""
    folder = home() / "chaos"
    for verdict in broken:
        create(home())
        folder.mkdir(exist_ok=True)
        path = folder / f"{verdict.plan.seed}-{verdict.trace_hash[:4]}.json"
        save(shrunk(verdict.plan), path)
        yield path


def _fault(text: str) -> tuple[str, int]:
    name, equals, rate = text.partition("=")
    if name not in ALL:
        raise UnknownNameError("fault", name, ALL)
    return name, units.rate("--fault", rate) if equals else PPB


def _trouble(until: str | None) -> int:
    """Minutes with faults; 0 for the usual ones."""
    if until is None:
        return 0
    try:
        at = time.fromisoformat(until)
    except ValueError as error:
        raise UsageError("{text!r} is not a time", hint="Write 09:20", text=until) from error
    began = datetime.fromtimestamp(START // NS, KST)
    minutes = (at.hour - began.hour) * 60 + at.minute - began.minute
    if not 1 <= minutes <= LONGEST:
        raise UsageError("--until {text} is out of range", hint="The market begins at 09:05", text=until)
    return minutes
