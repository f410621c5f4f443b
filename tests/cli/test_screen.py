import os
import signal
from collections.abc import Iterator
from io import StringIO

import pytest
from msgspec.structs import replace
from rich.console import Console
from rich.live import Live

from qbtrade.app.status import AlertStatus, NoScreen, WireStatus
from qbtrade.cli import panel, screen
from qbtrade.cli.interrupt import SIGNALS, Interrupts
from qbtrade.kernel.loop import StopRequest
from tests.builders import at
from tests.cli.test_panel import ALERT, a_status

NINE, TEN, ELEVEN = at("09:00"), at("10:00"), at("11:00")


@pytest.fixture
def signals() -> Iterator[None]:
    """Handlers as they were."""
    before = [(number, signal.getsignal(number)) for number in SIGNALS]
    yield
    for number, handler in before:
        signal.signal(number, handler)


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
    alert = f"2026-11-20 09:31:12 critical: {ALERT.text}; {ALERT.action}\n"
    assert stream.getvalue() == alert + panel.line(a_status()) + "\nnote: Mind the gap; step over it\n"


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
        watcher.on_notice("[Errno 104] Mind the gap", "step over it")
    assert "110,000,123" in stream.getvalue()
    assert "note: [Errno 104] Mind the gap; step over it" in stream.getvalue()
    assert stream.getvalue().rstrip().endswith("\x1b[?25h")


def test_new_alerts_are_lines_of_their_own_once_and_not_what_was_a_notice() -> None:
    stream, later = StringIO(), AlertStatus(TEN, "WARNING", "005930 was left alone", "")
    with screen.watching(screen.console_on(stream), paced=True, quiet=False) as watcher:
        watcher.on_notice(ALERT.text, ALERT.action)
        watcher.on_glance(a_status())
        watcher.on_glance(replace(a_status(), alerts=(ALERT, later)))
        watcher.on_status(replace(a_status(), alerts=(ALERT, later)))
    note, alert, _status = stream.getvalue().splitlines()
    assert note == f"note: {ALERT.text}; {ALERT.action}"
    assert alert == f"2026-11-20 10:00:00 warning: {later.text}"


def test_a_glance_draws_the_panel_for_a_new_alert_or_while_it_waits_for_the_open() -> None:
    stream = Terminal()
    console = Console(file=stream, force_terminal=True, width=80, height=60)
    wire = WireStatus("paper", "******01-01", "open", 0, 0, 18, 0, -1, -1, -1)
    calm, waiting = replace(a_status(), wire=wire, alerts=()), replace(wire, opens_in=60)
    with screen.watching(console, paced=True, quiet=False) as watcher:
        watcher.on_status(calm)
        drawn = []
        for status in (calm, replace(calm, alerts=(ALERT,)), replace(calm, alerts=(ALERT,), wire=waiting)):
            before = len(stream.getvalue())
            watcher.on_glance(status)
            drawn.append(len(stream.getvalue()) > before)
    assert drawn == [False, True, True]


@pytest.mark.usefixtures("signals")
def test_the_answer_to_ctrl_c_stands_above_the_panel_and_tears_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    stream = Terminal()
    console = Console(file=stream, force_terminal=True, width=80, height=60)
    with (
        Interrupts(StopRequest(), "stopping now") as interrupts,
        screen.watching(console, paced=True, quiet=False, interrupts=interrupts) as watcher,
    ):
        watcher.on_status(a_status())
        os.kill(os.getpid(), signal.SIGINT)
        assert "stopping now" not in stream.getvalue()
        watcher.on_glance(a_status())
        assert stream.getvalue().count("stopping now") == 1
    assert stream.getvalue().count("stopping now") == 1
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("signals")
def test_an_answer_that_no_picture_followed_is_written_at_the_end() -> None:
    stream = Terminal()
    console = Console(file=stream, force_terminal=True, width=80)
    for paced in (True, False):
        with (
            Interrupts(StopRequest(), f"stopping {paced}") as interrupts,
            screen.watching(console, paced=paced, quiet=False, interrupts=interrupts),
        ):
            os.kill(os.getpid(), signal.SIGINT)
        assert f"stopping {paced}" in stream.getvalue()


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
