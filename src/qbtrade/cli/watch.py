"""`qb watch`: follow sessions from another process or another machine, over Redis."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Protocol

import msgspec
import typer
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from qbtrade.app.config import load_settings
from qbtrade.app.status import Status
from qbtrade.cli import figures
from qbtrade.cli.pages import option
from qbtrade.cli.panel import panel
from qbtrade.cli.render_story import event_line
from qbtrade.cli.screen import console_on
from qbtrade.cli.text import _
from qbtrade.cli.words import said, word
from qbtrade.domain.events import type_of
from qbtrade.errors import ConfigError, ExitCode, UsageError
from qbtrade.kernel.clock import sleep, wall_ns

if TYPE_CHECKING:
    from qbtrade.adapters.redis.reading import Picture, Reader, Told

WAIT: Final = 1.0
AGAIN: Final = 1.0
"""Seconds between two tries while the server is away."""
ENDED: Final = "SESSION_ENDED"

Run = Annotated[str, option("--run", metavar="RUN", text=_("Only this session; ends when it ends"))]
From = Annotated[
    str, option("--from", metavar="ID", default="now", text=_("Go on after this entry; start for all that is kept"))
]
Json = Annotated[bool, typer.Option("--json", help=_("One JSON object per event, a line each"))]


def watch(*, run: Run = "", from_: From = "now", json: Json = False) -> None:
    """Follow sessions over Redis: events as they happen, and the panel on a terminal. Ctrl+C ends it."""
    from qbtrade.adapters.redis.reading import Reader

    url: str = load_settings(Path.cwd(), os.environ).value("redis_url") or ""
    if not url:
        raise ConfigError(
            "no Redis is configured", hint="Set QB_REDIS_URL; `qb status` shows the sessions of this machine"
        )
    reader = Reader(url, _place(from_))
    try:
        with _viewer(json=json) as viewer:
            _follow(reader, run, viewer)
    except KeyboardInterrupt:
        sys.stderr.write(_("`qb watch --from {entry}` goes on from here").format(entry=reader.after) + "\n")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    finally:
        reader.close()


def _place(text: str) -> str:
    from qbtrade.adapters.redis.reading import NEW, START

    named = {"now": NEW, "start": START}.get(text, text)
    if named != NEW and not all(part.isdecimal() for part in named.split("-", 1)):
        raise UsageError("--from: {text!r} is no entry", hint="Write 1795359733717-0, start or now", text=text)
    return named


def _follow(reader: "Reader", run: str, viewer: "_Viewer") -> None:
    from qbtrade.adapters.redis.reading import AwayError

    trouble, is_awaited = "", bool(run)
    while True:
        try:
            reader.begin()
            shown = [picture for picture in reader.pictures() if run in {"", picture.run}]
            viewer.see(shown)
            told, missed = reader.read(WAIT)
        except AwayError as error:
            if not trouble:
                viewer.say(_("Redis is away ({cause}); trying again").format(cause=said(str(error))))
            trouble = str(error)
            sleep(AGAIN)
            continue
        if trouble:
            trouble = ""
            viewer.say(_("Redis is back"))
        if missed:
            viewer.say(_("{count} events were not told here; the journal has them").format(count=missed))
        mine = [one for one in told if run in {"", one.run}]
        if is_awaited and not (shown or mine):
            viewer.say(_("no session {run} shows itself now; waiting for it").format(run=run))
        is_awaited = False
        for one in mine:
            viewer.tell(one)
            if run and one.type == ENDED:
                return


class _Viewer(Protocol):
    def tell(self, one: "Told") -> None: ...
    def see(self, pictures: list["Picture"]) -> None: ...
    def say(self, text: str) -> None: ...


class _Documents:
    """Events as JSON on stdout, the rest on stderr."""

    def tell(self, one: "Told") -> None:
        event = msgspec.Raw(one.body.encode())
        row = {"id": one.entry, "run": one.run, "n": one.n, "event": event}
        sys.stdout.write(msgspec.json.encode(row).decode() + "\n")
        sys.stdout.flush()

    def see(self, pictures: list["Picture"]) -> None:
        del pictures

    def say(self, text: str) -> None:
        sys.stderr.write(text + "\n")


class _Lines:
    """Events as lines; on a terminal with the panels of running sessions below."""

    def __init__(self, console: Console, live: Live | None) -> None:
        self._console, self._live = console, live

    def tell(self, one: "Told") -> None:
        known = type_of.get(one.type)
        line = event_line(msgspec.json.decode(one.body, type=known)) if known else f"{one.type}  {one.body}"
        self.say(line)

    def see(self, pictures: list["Picture"]) -> None:
        if self._live is not None:
            self._live.update(Group(*map(_panel, pictures[:2])) if pictures else Text(_("no session shows itself now")))

    def say(self, text: str) -> None:
        if self._live is not None:
            self._live.console.print(Text(text))
        else:
            self._console.file.write(text + "\n")
            self._console.file.flush()


def _panel(picture: "Picture") -> Group:
    heading = _("{run} on {environment}, as it was {age} ago").format(
        run=picture.run, environment=word(picture.environment).lower(), age=figures.age(wall_ns() - picture.written)
    )
    return Group(Text(heading, style="dim"), panel(msgspec.json.decode(picture.status, type=Status)))


@contextmanager
def _viewer(*, json: bool) -> Iterator[_Viewer]:
    if json:
        yield _Documents()
        return
    console = console_on(sys.stdout)
    if not console.is_terminal:
        yield _Lines(console, None)
        return
    with Live(console=console, refresh_per_second=4, transient=False) as live:
        yield _Lines(console, live)
