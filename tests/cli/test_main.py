import os
import subprocess
import sys
from collections.abc import Callable

import pytest
import typer

from qbtrade import __version__
from qbtrade.cli import main
from qbtrade.errors import ConfigError, EngineFault, JournalError, QbError, UsageError
from tests.cli.terminal import QB, one_line, qb, qb_process

HEAVY = ("pydantic", "duckdb", "redis", "psycopg", "requests", "rich", "sqlite3", "msgspec")


def raising(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Replaces `qb rules` by a command that raises."""

    def replace(error: BaseException) -> None:
        entry = main.COMMANDS["rules"]
        monkeypatch.setattr(f"{entry.module}.{entry.name}", raising(error))

    return replace


def test_help_lists_every_command_with_its_line() -> None:
    result = qb("--help")
    assert result.exit_code == 0
    for name, entry in main.COMMANDS.items():
        assert any(line.split()[:1] == [name] and line.endswith(entry.text) for line in result.stdout.splitlines())


def test_qb_alone_shows_the_help_page() -> None:
    assert qb().stdout == qb("--help").stdout


@pytest.mark.parametrize("group", ["data", "db", "services", "kis"])
def test_a_group_without_a_command_shows_its_page_and_no_error(group: str) -> None:
    result = qb(group)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Usage: qb {group} [OPTIONS] COMMAND")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from qbtrade.cli.main import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr.strip() == "[]"


@pytest.mark.parametrize("command", main.COMMANDS)
def test_every_command_has_a_help_page(command: str) -> None:
    result = qb(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: qb {command} ")
    assert "\x1b" not in result.stdout


def test_version_is_one_line() -> None:
    result = qb_process("--version")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"qb {__version__}\n", "")


def test_a_mistyped_command_is_answered_with_the_nearest_one() -> None:
    result = qb("simulat")
    assert (result.exit_code, result.stdout) == (2, "")
    assert one_line(result.stderr) == "error: unknown command 'simulat'. Did you mean 'simulate'?"


def test_a_mistyped_option_is_answered_with_the_nearest_one() -> None:
    result = qb("simulate", "--sed", "3")
    assert (result.exit_code, result.stdout) == (2, "")
    assert one_line(result.stderr) == "error: no such option '--sed'. Did you mean '--seed'?"


def test_an_option_like_no_other_points_to_the_help_page() -> None:
    assert one_line(qb("simulate", "--zzz").stderr) == "error: no such option '--zzz'. See qb simulate --help"


def test_an_option_without_its_value_says_so() -> None:
    result = qb("simulate", "--seed")
    assert (result.exit_code, one_line(result.stderr)) == (2, "error: option --seed needs a value")


def test_a_wrong_command_of_a_group_is_a_usage_error() -> None:
    result = qb("report", "shwo")
    assert result.exit_code == 2
    assert "shwo" in one_line(result.stderr)


@pytest.mark.parametrize(
    ("error", "code"),
    [(UsageError("a"), 2), (ConfigError("a"), 3), (JournalError("a"), 1), (EngineFault("a"), 1), (QbError("a"), 1)],
)
def test_an_error_of_ours_is_one_line_and_its_exit_code(
    broken: Callable[[BaseException], None], error: QbError, code: int
) -> None:
    broken(error)
    result = qb("rules")
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", "error: a\n")


def test_an_error_says_what_to_do_behind_what_is_wrong(broken: Callable[[BaseException], None]) -> None:
    broken(UsageError("the disk {name!r} is full.", hint="Make room", name="/x"))
    assert qb("rules").stderr == "error: the disk '/x' is full. Make room\n"


def test_something_unforeseen_is_one_line_without_a_traceback(broken: Callable[[BaseException], None]) -> None:
    broken(ZeroDivisionError("division by zero"))
    result = qb("rules")
    assert result.exit_code == 1
    assert result.stderr == (
        "internal error: ZeroDivisionError: division by zero; run with --debug for the traceback\n"
    )


@pytest.mark.parametrize("line", [("--debug", "rules"), ("rules", "--debug")])
def test_debug_shows_the_traceback_wherever_it_stands(
    broken: Callable[[BaseException], None], line: tuple[str, ...]
) -> None:
    broken(ZeroDivisionError("division by zero"))
    result = qb(*line)
    assert result.exit_code == 1
    assert "Traceback (most recent call last)" in result.stderr
    assert result.stderr.endswith("internal error: ZeroDivisionError: division by zero\n")


def test_the_environment_can_ask_for_the_traceback(broken: Callable[[BaseException], None]) -> None:
    broken(UsageError("a"))
    assert "Traceback" in qb("rules", QB_DEBUG="1").stderr
    assert "Traceback" not in qb("rules", QB_DEBUG="0").stderr


def test_ctrl_c_outside_a_session_ends_with_130(broken: Callable[[BaseException], None]) -> None:
    broken(KeyboardInterrupt())
    result = qb("rules")
    assert (result.exit_code, result.stdout) == (130, "")


def test_a_command_may_choose_its_exit_code(broken: Callable[[BaseException], None]) -> None:
    broken(typer.Exit(6))
    assert qb("rules").exit_code == 6


def test_nobody_reading_stdout_is_no_drama() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run([*QB, "--help"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (result.returncode, result.stderr) == (1, b"")
