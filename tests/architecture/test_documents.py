import re
from collections.abc import Iterable
from pathlib import Path

from qbtrade.app.keys import KEYS, variable
from qbtrade.domain.message import EventType
from tests.architecture.tree import ROOT, texts
from tools import docs_cli, docs_configuration, docs_events

DOCS = ROOT / "docs"
VARIABLE = re.compile(r"\bQB_[A-Z][A-Z_]*[A-Z]\b")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def missing(names: Iterable[str], text: str) -> list[str]:
    return [name for name in names if name not in text]


def all_documents() -> dict[str, str]:
    return {name: text for name, text in texts((".md",)) if name.startswith("docs/") or name == "README.md"}


def test_every_command_is_documented() -> None:
    """What a page says there is what the command says today: `cog --check` in run_tests.sh asks each of them."""
    headings = [f"## {' '.join(('qb', *command))}\n\n```text\n" for command in docs_cli.commands()]
    assert len(headings) > 20
    assert missing(headings, page("cli.md")) == []
    assert "cog.out" in page("cli.md")
    assert "help_pages()" in page("cli.md")


def test_every_exit_code_and_error_is_documented() -> None:
    assert docs_cli.exit_codes() in page("cli.md")
    assert docs_cli.error_table() in page("cli.md")
    assert missing([f"`{cls.slug}`" for cls in docs_cli.error_classes()[1:]], page("cli.md")) == []


def test_every_key_is_documented_with_its_default() -> None:
    assert docs_configuration.key_tables() in page("configuration.md")
    assert missing(map(variable, KEYS), page("configuration.md")) == []


def test_every_variable_that_the_code_reads_is_documented() -> None:
    read = {name for path, text in texts((".py",)) if path.startswith("src/") for name in VARIABLE.findall(text)}
    assert missing(sorted(read), page("configuration.md")) == []


def test_every_event_is_documented_with_its_publishers_and_hearers() -> None:
    assert docs_events.event_table() in page("events.md")
    assert missing([f"`{name}`" for name in EventType], page("events.md")) == []


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{name}: {target}"
        for name, text in all_documents().items()
        for target in LINK.findall(text)
        if not (ROOT / Path(name).parent / target).exists()
    ]
    assert broken == []
