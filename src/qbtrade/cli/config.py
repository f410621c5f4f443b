"""`qb config`: what is configured, and where each value was said."""

import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from qbtrade.app.config import DEFAULT, Settings, load_settings
from qbtrade.app.home import home
from qbtrade.cli.pages import cells
from qbtrade.cli.text import N_, _

app = typer.Typer(add_completion=False, help=N_("Show the configuration and where each value comes from."))
Json = Annotated[bool, typer.Option("--json", help=N_("One JSON document on stdout"))]


@app.callback(invoke_without_command=True)
def config(ctx: typer.Context) -> None:
    """Show everything when no command says otherwise."""
    if ctx.invoked_subcommand is None:
        show()


@app.command(help=N_("Show every key, its value and where the value was said; passwords are masked."))
def show(*, json: Json = False) -> None:
    """Show every key, its value and where the value was said."""
    settings = load_settings(Path.cwd(), os.environ)
    rows = tuple((key, _value(settings, key), settings.origin(key)) for key in settings.keys())  # noqa: SIM118 (no dict)
    if json:
        document = {key: {"value": value, "from": origin} for key, value, origin in rows}
        typer.echo(msgspec.json.encode(document).decode())
    else:
        typer.echo("\n".join(_lines(rows)))


def _value(settings: Settings, key: str) -> str:
    return str(home()) if key == "home" else settings.shown(key)


def _lines(rows: tuple[tuple[str, str, str], ...]) -> list[str]:
    told = [(key, _(value), _("default")) if origin == DEFAULT else (key, value, origin) for key, value, origin in rows]
    names = max(len(key) for key, _value, _origin in told)
    values = max(cells(value) for _key, value, _origin in told)
    return [f"{key:<{names}}  {value}{' ' * (values - cells(value))}  {origin}" for key, value, origin in told]
