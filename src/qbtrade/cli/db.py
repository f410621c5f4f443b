"""`qb db`: the schema and the health of the long memory."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from qbtrade.cli.pages import cells
from qbtrade.cli.text import N_, _
from qbtrade.cli.words import said
from qbtrade.domain.calendar import NS
from qbtrade.errors import ExitCode

if TYPE_CHECKING:
    from qbtrade.adapters.store.postgres.health import Health

app = typer.Typer(add_completion=False, no_args_is_help=True, help=N_("Look after the database, the long memory."))
Json = Annotated[bool, typer.Option("--json", help=N_("One JSON document on stdout"))]
Run = Annotated[str, typer.Argument(metavar="RUN", help=N_("Only this one; all without"))]


@app.command(help=N_("Bring the schema of the database up to date, in one transaction."))
def upgrade() -> None:
    """Bring the schema of the database up to date, in one transaction."""
    from qbtrade.app import database

    steps = database.upgrade(database.url())
    for step in steps:
        _say(f"{step.version:>4}  {step.name}  {step.layout}".rstrip())
    _say(_("the schema is up to date"))


@app.command(help=N_("Show which steps the schema has gone, and which are left."))
def status(*, json: Json = False) -> None:
    """Show which steps the schema has gone, and which are left."""
    from qbtrade.app import database

    gone, left = database.state(database.url())
    if json:
        rows = [{"version": step.version, "name": step.name, "layout": step.layout, "at": step.at} for step in gone]
        rows += [{"version": step.version, "name": step.name, "layout": step.layout, "at": ""} for step in left]
        _say(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return
    for step in gone:
        _say(f"{step.version:>4}  {step.name:<12} {step.layout:<10} {step.at} UTC")
    for each in left:
        _say(f"{each.version:>4}  {each.name:<12} {each.layout:<10} " + _("not yet; run qb db upgrade"))


@app.command(help=N_("Check that the database can be used: connection, schema, a row there and back, clocks."))
def check(*, json: Json = False) -> None:
    """Check that the database can be used: connection, schema, a row there and back, clocks."""
    from qbtrade.app import database

    health = database.look(database.url())
    if json:
        _say(msgspec.json.format(msgspec.json.encode(health)).decode())
        return
    for line in _aligned(_rows(health, database.CLOCK_WITHIN)):
        _say(line)


@app.command(help=N_("Pass every journal on that the database lacks, in whole or in part."))
def fill() -> None:
    """Pass every journal on that the database lacks, in whole or in part."""
    from qbtrade.app import database
    from qbtrade.app.home import home

    runs = problems = 0
    for run_id, rows, problem in database.fill(database.url(), home()):
        runs += 1
        problems += bool(problem)
        if problem:
            _say(f"{run_id}  {said(problem)}")
        elif rows:
            _say(f"{run_id}  " + _("{rows:,} rows of the journal").format(rows=rows))
    _say(_("the database holds {count} of {runs} journals").format(count=runs - problems, runs=runs))
    if problems:
        raise typer.Exit(ExitCode.FAILED)


@app.command(help=N_("Compare all rows of the journals with the database, by count and checksum."))
def verify(run: Run = "") -> None:
    """Compare all rows of the journals with the database, by count and checksum."""
    from qbtrade.app import database
    from qbtrade.app.home import home

    runs = problems = total = 0
    for run_id, rows, problem in database.verify(database.url(), home(), run):
        runs, total, problems = runs + 1, total + rows, problems + bool(problem)
        if problem:
            _say(f"{run_id}  {said(problem)}")
    if problems:
        text = _("{count} of {runs} journals are not in the database as they are; qb db fill passes on what it lacks")
        _say(text.format(count=problems, runs=runs))
        raise typer.Exit(ExitCode.FAILED)
    _say(_("{runs} journals, {rows:,} rows: the database has the same").format(runs=runs, rows=total))


def _rows(health: "Health", clock_within: int) -> Iterable[tuple[str, str]]:
    yield _("server"), _("PostgreSQL {version}, database {name}").format(version=health.version, name=health.database)
    yield _("extension"), f"TimescaleDB {health.timescale}" if health.timescale else _("no TimescaleDB")
    native = _("native partitions, one a month")
    yield _("series"), native if health.layout == "native" else _("hypertables, compressed after a week")
    yield _("schema"), str(health.schema)
    yield _("a row there and back"), f"{health.round_trip * 1e3:.1f} ms"
    yield (
        _("replicas"),
        _("{count}, the last one {lag:.1f} s behind").format(count=health.replicas, lag=health.lag)
        if health.replicas
        else _("none"),
    )
    clock = _("{seconds:+.3f} s against ours").format(seconds=health.clock_ns / NS)
    yield _("clock"), clock if abs(health.clock_ns) <= clock_within else f"{clock}; {_('Let both keep time by NTP')}"


def _aligned(rows: Iterable[tuple[str, str]]) -> list[str]:
    lines = list(rows)
    width = max(cells(label) for label, _text in lines) + 2
    return [f"{label}{' ' * (width - cells(label))}{text}" for label, text in lines]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
