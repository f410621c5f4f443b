"""What users and scripts rely on. Changing a line here owes them an entry in the changelog."""

import qbtrade
from qbtrade.cli.main import COMMANDS
from qbtrade.domain.message import EventType
from qbtrade.errors import ExitCode
from tools.docs_cli import error_classes


def test_exit_codes_stay_what_they_are() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0,
        "FAILED": 1,
        "USAGE": 2,
        "BAD_FILE": 3,
        "PREFLIGHT": 4,
        "BROKER": 5,
        "HALTED": 6,
        "BOOKS_DISAGREE": 7,
        "INTERRUPTED": 130,
    }


def test_commands_keep_their_names() -> None:
    assert list(COMMANDS) == [
        "init", "preflight", "simulate", "live", "status", "watch", "halt", "resume", "orders", "report", "rules",
        "data", "emulator", "chaos", "kis", "db", "services", "config",
    ]  # fmt: skip


def test_error_slugs_are_unique() -> None:
    slugs = [cls.slug for cls in error_classes()]
    assert len(set(slugs)) == len(slugs)


def test_an_event_is_called_in_the_journal_as_in_the_code() -> None:
    assert [event_type.name for event_type in EventType] == [event_type.value for event_type in EventType]


def test_the_version_is_one_of_semantic_versioning() -> None:
    assert [part.isdigit() for part in qbtrade.__version__.split(".")] == [True] * 3


def test_what_a_strategy_imports_is_there() -> None:
    from qbtrade.domain.market import Bar, Trade
    from qbtrade.ports import Desk, Strategy

    assert all((Bar, Trade, Desk, Strategy, Strategy.Params))
