import ast
import re
from collections.abc import Iterator
from pathlib import Path

from qbtrade.cli.main import COMMANDS
from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import Outcome, RiskState
from qbtrade.domain.order import OrderStatus
from tests.architecture.tree import ROOT, SOURCES
from tools import docs_glossary

DOCS = ROOT / "docs"
LINK = re.compile(r"\]\(([^)#\s]+)")
DECISION = re.compile(r"# \d+\. .+\n\n## Context\n\n.+\n\n## Decision\n\n.+\n\n## Consequences\n\n.+", re.DOTALL)
LONGEST_DECISION = 60


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def decisions() -> list[Path]:
    return sorted((DOCS / "adr").glob("*.md"))


def calls(name: str) -> Iterator[tuple[ast.Call, dict[str, str]]]:
    """Every call of that name in the engines and use cases, with the texts that its module has names for."""
    for path in sorted([*SOURCES.glob("engines/**/*.py"), *SOURCES.glob("app/*.py")]):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            node.target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield node, constants


def third_argument(call: ast.Call, constants: dict[str, str]) -> str:
    match call.args[2]:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name) if name in constants:
            return constants[name]
        case _:
            return ""


def test_every_page_is_reached_from_the_index() -> None:
    linked = {(DOCS / target).resolve() for target in LINK.findall(page("index.md")) if not target.startswith("http")}
    missing = [path.name for path in [*DOCS.glob("*.md"), *decisions()] if path.resolve() not in linked]
    assert missing == ["index.md"]


def test_every_decision_has_context_decision_and_consequences_within_a_page() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in decisions()}
    assert [name for name, text in texts.items() if not DECISION.fullmatch(text)] == []
    assert [name for name, text in texts.items() if text.count("\n") >= LONGEST_DECISION] == []


def test_decisions_are_numbered_without_gap_or_repetition() -> None:
    assert [int(path.name[:4]) for path in decisions()] == list(range(1, len(decisions()) + 1))


def test_the_glossary_is_as_fresh_as_the_code() -> None:
    assert docs_glossary.denial_table() in page("glossary.md")
    assert docs_glossary.state_table() in page("glossary.md")


def test_every_denial_is_explained_in_the_glossary_and_among_the_rules() -> None:
    slugs = [cls.slug for cls in docs_glossary.rules()]
    assert len(slugs) > 15
    assert [slug for slug in slugs if f"`{slug}`" not in page("glossary.md")] == []
    assert [slug for slug in slugs if f"`{slug}`" not in page("risk.md")] == []


def test_every_alert_is_explained_in_the_glossary() -> None:
    codes = {third_argument(call, constants) for call, constants in calls("Alert")}
    assert codes >= {"stop-loss", "daily-loss", "can-never-trade"}
    broker = "".join(path.read_text(encoding="utf-8") for path in (SOURCES / "adapters" / "kis").glob("*.py"))
    alarms = set(re.findall(r'alarm\("([a-z-]+)"|Level\.[A-Z]+, "([a-z-]+)"', broker))
    codes |= {code for pair in alarms for code in pair if code}
    assert codes >= {"which-is-ours", "orders-not-seen"}
    assert [code for code in sorted(codes) if f"`{code}`" not in page("glossary.md")] == []


def test_every_refusal_of_the_simulated_exchange_is_explained_in_the_glossary() -> None:
    text = (SOURCES / "adapters" / "sim" / "exchange.py").read_text(encoding="utf-8")
    codes = re.findall(r'return "([a-z-]+)", |CancelRejected\([^)]*"([a-z-]+)"\)', text)
    assert len(codes) > 5
    assert [code for pair in codes for code in pair if code and f"`{code}`" not in page("glossary.md")] == []


def test_every_state_is_named_in_the_glossary() -> None:
    names = [*OrderStatus, *RiskState, *Outcome, *Phase]
    assert [name for name in names if f"`{name}`" not in page("glossary.md")] == []


def test_every_command_is_shown_or_told_in_the_first_pages() -> None:
    told = (ROOT / "README.md").read_text(encoding="utf-8") + page("tutorial.md") + page("architecture.md")
    assert [name for name in COMMANDS if f"qb {name}" not in told] == []
