import re
from importlib import import_module

from qbtrade.app.keys import ABILITIES, KEYS
from tests.architecture.tree import ROOT
from tools import docs_kis

REQUESTS = ("test_calls.py", "test_rest.py")
NOT_IN_DOUBT = {"kis.amendable_orders", "kis.stock_info"}
"""What KIS documents, for both sides."""
KEY = re.compile(r"`((?:kis|costs)\.[a-z_]+)")
TEST = re.compile(r"\[([a-z0-9_ ]+)\]\(\.\./(tests/[a-z_/]+\.py)\)")
FUNCTION = re.compile(r"^\| `([a-z_]+)\.([A-Za-z_.]+)` \|", re.MULTILINE)
FILE_ONLY = {"request"}
"""Links of tables that name no test of a file."""


def page() -> str:
    return (ROOT / "docs" / "kis.md").read_text(encoding="utf-8")


def test_every_table_is_as_fresh_as_the_code() -> None:
    tables = (docs_kis.call_table(), docs_kis.capability_table(), docs_kis.limit_table(), docs_kis.code_table())
    assert [table for table in tables if table not in page()] == []


def test_every_call_names_the_section_on_which_it_rests() -> None:
    assert [each.__name__ for each in docs_kis.functions() if not docs_kis.section(each)] == []
    assert len(docs_kis.functions()) > 15


def test_every_switch_of_an_open_question_exists() -> None:
    unverified = page().partition("## Unverified")[2]
    assert [key for key in KEY.findall(unverified) if key not in KEYS] == []
    assert {f"kis.{name}" for name in ABILITIES} - set(KEY.findall(unverified)) == NOT_IN_DOUBT


def test_every_test_that_the_page_names_exists() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| ")]
    named = [found for row in rows for found in TEST.findall(row)]
    missing = [
        (name, path) for name, path in named
        if name not in FILE_ONLY and f"def test_{name.replace(' ', '_')}(" not in (ROOT / path).read_text("utf-8")
    ]  # fmt: skip

    assert missing == []
    assert len(named) > 2 * len(docs_kis.functions())


def test_every_function_that_the_page_names_exists() -> None:
    named = FUNCTION.findall(page())
    for module, path in named:
        found: object = import_module(f"qbtrade.adapters.kis.{module}")
        for part in path.split("."):
            found = getattr(found, part)

    assert {module for module, _path in named} >= {"sending", "stream", "frames", "notices"}


def test_the_file_that_tests_requests_makes_each_of_them() -> None:
    requests = "".join((ROOT / "tests" / "adapters" / "kis" / name).read_text("utf-8") for name in REQUESTS)

    assert [each.__name__ for each in docs_kis.functions() if f"calls.{each.__name__}" not in requests] == []
