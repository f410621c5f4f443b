"""What docs/kis.md shows: every call with its transaction and tests, what each environment offers, every code."""

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, Final

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.codes import CODES, Verdict, verdict
from qbtrade.adapters.kis.environment import CAPABILITIES, LIMITS, NS, Capabilities, KisLimits
from qbtrade.adapters.kis.limiter import MILLI
from qbtrade.adapters.kis_fields import REST

ROOT: Final = Path(__file__).parent.parent
TESTS: Final = ROOT / "tests" / "adapters" / "kis"
_SECTION: Final = re.compile(r"Source: PROTOCOL ([\d.]*\d)")
_NAME: Final = re.compile(r'"([a-z-]+)"')
_PARSER: Final = re.compile(r"\b(orders|account|quotes|market|keys)\.([a-z_]+)\b")
PROVES: Final = {Verdict.TAKEN: "taken", Verdict.REFUSED: "refused"}


def functions() -> list[FunctionType]:
    """Every public function that gives a call, in the order of its file."""
    found = [
        each for name, each in vars(calls).items()
        if isinstance(each, FunctionType) and each.__module__ == calls.__name__ and not name.startswith("_")
    ]  # fmt: skip
    return sorted(found, key=lambda each: each.__code__.co_firstlineno)


def section(function: Callable[..., Any]) -> str:
    """The section of the wire protocol on which a call rests."""
    found = _SECTION.search(inspect.getdoc(function) or "")
    return found[1] if found else ""


def call_table() -> str:
    """Our function, KIS's transaction, where it is described, what tests it."""
    rows = [f"| `{each.__name__}` | {_ids(each)} | {section(each)} | {_tests(each)} |" for each in functions()]
    return "\n".join(
        ["| `calls.` | transaction (real / paper) | protocol | tests |", "| --- | --- | --- | --- |", *rows, ""]
    )


def capability_table() -> str:
    """What KIS's two sides offer; the emulator offers what the side does that it plays."""
    real, paper = CAPABILITIES["real"], CAPABILITIES["paper"]
    rows = [
        f"| `{name}` | {_yes(getattr(real, name))} | {_yes(getattr(paper, name))} |"
        for name in Capabilities.__struct_fields__
    ]
    return "\n".join(["| ability | real | paper |", "| --- | --- | --- |", *rows, ""])


def limit_table() -> str:
    """The numbers with which each side is treated."""
    real, paper = LIMITS["real"], LIMITS["paper"]
    rows = [
        f"| `{name.removesuffix('_ns').removesuffix('_milli')}` | {_shown(real, name)} | {_shown(paper, name)} |"
        for name in real.__struct_fields__
    ]
    return "\n".join(["| limit | real | paper |", "| --- | ---: | ---: |", *rows, ""])


def code_table() -> str:
    """Every code and what it proves about an order."""
    rows = [f"| `{row.code}` | {row.meaning} | {_proof(row.code)} | {row.sure} |" for row in CODES.values()]
    return "\n".join(["| code | meaning | an order is | how sure |", "| --- | --- | --- | --- |", *rows, ""])


def _proof(code: str) -> str:
    meaning = verdict(code)
    return PROVES.get(meaning, "unconfirmed") if meaning else "unconfirmed"


def _ids(function: FunctionType) -> str:
    names = [name for name in _NAME.findall(_source(function)) if name in REST]
    if not names:
        return "`POST /oauth2/Approval`"
    tr = REST[names[0]]
    variants = [name for name in tr.real if name and f'"{name}"' in _source(function)] or list(tr.real)
    real = ", ".join(f"`{tr.real[variant]}`" for variant in variants)
    paper = ", ".join(f"`{tr.paper[variant]}`" for variant in variants if variant in tr.paper) or "none"
    return f"{names[0]}: {real} / {paper}"


def _source(function: FunctionType) -> str:
    """The function's text, and that of what it is built on."""
    text = inspect.getsource(function)
    return text + inspect.getsource(calls._change) if "_change(" in text else text  # noqa: SLF001


def _tests(function: FunctionType) -> str:
    code = inspect.getsource(function).rpartition('"""')[2]
    module, parser = next(iter(_PARSER.findall(code)), ("orders", "order_ack"))
    found = next(_users(TESTS / "parse" / f"test_{module}.py", f"{module}.{parser}("))
    request = "test_rest.py" if function is calls.approval_key else "test_calls.py"
    return f"[{found}](../tests/adapters/kis/parse/test_{module}.py), [request](../tests/adapters/kis/{request})"


@cache
def _tree(path: Path) -> tuple[tuple[str, str], ...]:
    text = path.read_text(encoding="utf-8")
    return tuple(
        (node.name, ast.get_source_segment(text, node) or "")
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def _users(path: Path, text: str) -> Iterator[str]:
    """Names of the tests of a file that use a function."""
    return (name.removeprefix("test_").replace("_", " ") for name, source in _tree(path) if text in source)


def _shown(limits: KisLimits, name: str) -> str:
    value = getattr(limits, name)
    if name.endswith("_ns"):
        return f"{value / NS:g} s"
    return f"{value / MILLI:g}" if name.endswith("_milli") else str(value)


def _yes(offered: bool) -> str:  # noqa: FBT001 (a value to print)
    return "yes" if offered else "no"
