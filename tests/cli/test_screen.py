from io import StringIO

import pytest
from rich.console import Console
from rich.live import Live

from qbtrade.app.status import NoScreen
from qbtrade.cli import panel, screen
from tests.builders import at
from tests.cli.test_panel import a_status

NINE, TEN, ELEVEN = at("09:00"), at("10:00"), at("11:00")


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_paced_run_without_a_terminal_writes_one_plain_line_per_status() -> None:
    stream = StringIO()
    with screen.watching(screen.console_on(stream), paced=True, quiet=False) as watcher:
        watcher.on_status(a_status())
        watcher.on_progress(TEN, NINE, ELEVEN, 5)
        watcher.on_notice("Mind the gap", "step over it")
    assert stream.getvalue() == panel.line(a_status()) + "\nnote: Mind the gap; step over it\n"


def test_an_unpaced_run_without_a_terminal_writes_no_status() -> None:
    stream = StringIO()
    with screen.watching(screen.console_on(stream), paced=False, quiet=False) as watcher:
        watcher.on_status(a_status())
    assert stream.getvalue() == ""


def test_progress_without_a_terminal_is_a_plain_line_now_and_then() -> None:
    stream = StringIO()
    console = screen.console_on(stream)
    patient, eager = screen.LineScreen(console, paced=False), screen.LineScreen(console, paced=False, pause=0)
    for watcher in (patient, eager):
        watcher.on_progress(NINE, NINE, ELEVEN, 5)
        watcher.on_progress(TEN, NINE, ELEVEN, 500)
    (line,) = stream.getvalue().splitlines()
    assert line.startswith(" 50%  2026-11-20 10:00:00  ")
    assert line.endswith(" left")
    assert "\x1b" not in line


def test_a_paced_run_on_a_terminal_draws_the_panel_and_leaves_it_there() -> None:
    stream = Terminal()
    console = Console(file=stream, force_terminal=True, width=80, height=40)
    with screen.watching(console, paced=True, quiet=False) as watcher:
        watcher.on_status(a_status())
        watcher.on_notice("Mind the gap", "step over it")
    assert "110,000,123" in stream.getvalue()
    assert "note: Mind the gap; step over it" in stream.getvalue()
    assert stream.getvalue().rstrip().endswith("\x1b[?25h")


def test_an_unpaced_run_on_a_terminal_draws_a_bar() -> None:
    stream = Terminal()
    with Live(console=Console(file=stream, force_terminal=True, width=80), auto_refresh=False) as live:
        watcher = screen.ProgressScreen(live, pause=0)
        watcher.on_progress(NINE, NINE, ELEVEN, 5)
        watcher.on_progress(TEN, NINE, ELEVEN, 500)
        watcher.on_status(a_status())
        watcher.on_notice("Mind the gap", "step over it")
    assert "50%" in stream.getvalue()
    assert "110,000,123" not in stream.getvalue()


def test_quiet_means_nobody_watches() -> None:
    with screen.watching(screen.console_on(Terminal()), paced=True, quiet=True) as watcher:
        assert isinstance(watcher, NoScreen)


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with screen.watching(screen.console_on(Terminal()), paced=True, quiet=False) as watcher:
        assert isinstance(watcher, screen.LineScreen)
