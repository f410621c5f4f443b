import re

from tests.architecture.tree import ROOT

DOCS = ROOT / "docs"
TROUBLES = (
    "An order is unknown", "The books disagree", "A stock counts from another price", "Trading is halted",
    "The feed is lost", "The token is dead", "Two sessions", "The disk is full",
)  # fmt: skip


def sections() -> dict[str, str]:
    _, *parts = re.split(r"^## ", (DOCS / "runbook.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {title: body for title, _, body in (part.partition("\n") for part in parts)}


def test_every_trouble_has_its_section_and_each_tells_what_is_seen_done_and_when_it_is_over() -> None:
    assert tuple(sections()) == TROUBLES
    told = ("You see", "- **By itself**", "- **You**", "- **Over**")
    assert [title for title, body in sections().items() if any(each not in body for each in told)] == []


def test_every_name_that_the_runbook_quotes_is_in_the_glossary() -> None:
    glossary = (DOCS / "glossary.md").read_text(encoding="utf-8")
    named = {code for body in sections().values() for code in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", body)}
    assert "books-disagree" in named
    assert sorted(code for code in named if f"`{code}`" not in glossary) == []
