"""`qb services`: private PostgreSQL and Redis servers, up and down."""

import sys
from collections.abc import Iterable, Iterator
from typing import Annotated, Final

import msgspec
import typer

from qbtrade.app.home import home
from qbtrade.cli import figures
from qbtrade.cli.pages import cells
from qbtrade.cli.text import N_, _

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help=N_("Run private PostgreSQL and Redis servers for qb.")
)
Json = Annotated[bool, typer.Option("--json", help=N_("One JSON document on stdout"))]

EVICTS: Final = N_("it gives up keys when its memory is full ({policy}): set maxmemory-policy to noeviction")
STATES: Final = {
    "running": N_("running"),
    "silent": N_("lives and does not answer"),
    "stopped": N_("stopped"),
}


@app.command(help=N_("Start both servers, unless they run; they outlive this terminal."))
def up() -> None:
    """Start both servers, unless they run; they outlive this terminal."""
    from qbtrade.app import services
    from qbtrade.app.service_urls import urls_path

    for name, began in services.up(home()):
        _say((_("{name} is up") if began else _("{name} was up already")).format(name=name))
    services.prepare(home())
    _say(_("qb uses them from now on; their addresses stand in {path}").format(path=urls_path(home())))
    for variable in _said_elsewhere():
        _say(_("but not where {variable} says otherwise, as it does here").format(variable=variable))


@app.command(help=N_("End the servers that `qb services up` started; their data stay."))
def down() -> None:
    """End the servers that `qb services up` started; their data stay."""
    from qbtrade.app import services

    for name, ran in services.down(home()):
        _say((_("{name} is down") if ran else _("{name} was not up")).format(name=name))


@app.command(help=N_("Show version, program, address, data and uptime of both."))
def status(*, json: Json = False) -> None:
    """Show version, program, address, data and uptime of both."""
    from qbtrade.app import services

    seen = services.status(home())
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(seen)).decode() + "\n")
        return
    for each in seen:
        _say(f"{each.name}: {_(STATES[each.state])}")
        rows = (
            (_("version"), each.version),
            (_("program"), each.program),
            (_("address"), each.address),
            (_("process"), str(each.pid or "")),
            (_("up for"), figures.age(each.uptime) if each.uptime else ""),
            (_("data"), f"{figures.memory(each.size)}  {each.folder}"),
            (_("warning"), _(EVICTS).format(policy=each.evicts) if each.evicts else ""),
        )
        for line in _aligned(row for row in rows if row[1]):
            _say(line)


def _said_elsewhere() -> Iterator[str]:
    import os
    from pathlib import Path

    from qbtrade.app.config import SERVICES, load_settings
    from qbtrade.app.service_urls import NAMES

    settings = load_settings(Path.cwd(), os.environ)
    yield from (name for key, name in NAMES.items() if not settings.origin(key).startswith(SERVICES))


def _aligned(rows: Iterable[tuple[str, str]]) -> list[str]:
    lines = list(rows)
    width = max(cells(label) for label, _text in lines) + 2
    return [f"  {label}{' ' * (width - cells(label))}{text}" for label, text in lines]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
