import re

from qbtrade.adapters.kis.environment import Capabilities
from qbtrade.app.keys import KEYS
from tests.architecture.tree import ROOT
from tools import docs_kis

KEY = re.compile(r"`((?:kis|costs)\.[a-z_]+)")
ABILITY = re.compile(r"ability `([a-z_]+)`")


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
    assert set(ABILITY.findall(unverified)) <= set(Capabilities.__struct_fields__)
