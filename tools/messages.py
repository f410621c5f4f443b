"""The Korean catalogue: collects every sentence that a user may read, and compiles what was translated.

python tools/messages.py          brings qbtrade.po up to date with the code; new sentences stand there empty
python tools/messages.py compile  writes qbtrade.mo
"""

import ast
import itertools
import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from qbtrade import errors

ROOT: Final = Path(__file__).parent.parent
SOURCES: Final = ROOT / "src" / "qbtrade"
PO: Final = SOURCES / "cli" / "locale" / "ko" / "LC_MESSAGES" / "qbtrade.po"
MO: Final = PO.with_suffix(".mo")

MARKERS: Final = {"_": (0,), "N_": (0,)}
RAISED: Final = {
    **{name: (0,) for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)},
    "RowError": (3,), "WireError": (1,), "super().__init__": (0,),
}  # fmt: skip
"""Which arguments of an error are sentences."""
TOLD: Final = {
    "Alert": (3, 4), "SymbolHalted": (3,), "Halt": (3,), "on_notice": (0,), "Advice": (2, 3), "Alarm": (1, 2),
    "Failed": (0,), "say": (1, 2), "_warn": (1,), "NotSent": (0,), "Unconfirmed": (0,), "_unsent": (1,), "_stop": (0,),
    "_postpone": (1,), "Differs": (1,), "alarm": (1, 2), "say_table": (2,), "_bad": (2,),
    "ok": (0,), "warn": (0, 1), "fail": (0, 1), "skip": (0,), "_objection": (1,),
    "_secret": (0,), "_account": (0,), "_private": (0,), "_place": (0, 1), "_ability": (0,),
    "amiss": (0,), "noted": (0,), "Problem": (2,),
    "Key": (2, 3), "_choice": (1, 2), "_string": (0, 1), "_whole": (0, 1), "_rate": (0, 1), "_duration": (0, 1),
}  # fmt: skip
"""Events and values whose words reach the screen: positions of their sentences."""
TELLING: Final = (
    "_problems",
    "key_problem",
    "account_problem",
    "hts_id_problem",
    "problem_of",
    "objection",
    "why_no_go",
    "cause",
    "move_of",
    "whether_by_hand",
)
"""Functions whose answers are sentences."""
KEYWORDS: Final = ("hint", "text", "action", "detail", "problem")
_DATED: Final = datetime(2026, 1, 1, tzinfo=UTC)
_LETTER = re.compile(r"[A-Za-z]")
_FIELD = re.compile(r"\{[^{}]*\}")


class Sentences(ast.NodeVisitor):
    """Collects the sentences of one file. A filled-in sentence is kept as the template that its f-string is."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._assigned: list[dict[str, list[ast.expr]]] = [{}]

    def visit_Module(self, node: ast.Module) -> None:
        """Remember which sentences stand in constants of the module."""
        for part in node.body:
            if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name) and part.value is not None:
                self._assigned[0][part.target.id] = [part.value]
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Remember which sentences stand in variables of the function."""
        self._command_help(node)
        assigned: dict[str, list[ast.expr]] = {}
        for part in ast.walk(node):
            if node.name in TELLING and isinstance(part, ast.Return | ast.Yield) and part.value is not None:
                self._take(part.value)
            if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
                assigned.setdefault(part.targets[0].id, []).append(part.value)
        self._assigned.append(assigned)
        self.generic_visit(node)
        self._assigned.pop()

    def visit_Call(self, node: ast.Call) -> None:
        """Take the arguments that are sentences."""
        name = _called(node)
        positions = {**MARKERS, **TOLD, **RAISED}.get(name, ())
        for argument in (node.args[position] for position in positions if position < len(node.args)):
            if name not in MARKERS or not isinstance(argument, ast.Subscript):  # the table's own words are marked
                self._take(argument)
        if positions and name not in MARKERS:
            for keyword in node.keywords:
                if keyword.arg in KEYWORDS:
                    self._take(keyword.value)
        self.generic_visit(node)

    def _command_help(self, node: ast.FunctionDef) -> None:
        for mark in node.decorator_list:
            told = {keyword.arg for keyword in mark.keywords} if isinstance(mark, ast.Call) else {"help"}
            if isinstance(mark, ast.Call) and _called(mark) == "command" and "help" not in told:
                self.found.append(ast.get_docstring(node) or "")

    def _take(self, node: ast.expr) -> None:
        match node:
            case ast.Constant(value=str(text)):
                self._keep(text)
            case ast.JoinedStr():
                self._keep(_template(node))
            case ast.IfExp():
                self._take(node.body)
                self._take(node.orelse)
            case ast.Subscript(value=table):
                self._take(table)
            case ast.Dict(values=values) | ast.BoolOp(values=values):
                for value in values:
                    self._take(value)
            case ast.Name(id=name):
                scope = self._assigned[-1] if name in self._assigned[-1] else self._assigned[0]
                for value in scope.pop(name, []):  # once is enough, and a variable may be made of itself
                    self._take(value)
            case _:
                pass

    def _keep(self, text: str) -> None:
        if _LETTER.search(_FIELD.sub("", text)):
            self.found.append(text)


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr="__init__", value=ast.Call(func=ast.Name(id="super"))):
            return "super().__init__"
        case ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _template(node: ast.JoinedStr) -> str:
    """The f-string with plain names for what it fills in."""
    names: dict[str, str] = {}
    parts: list[str] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
        elif isinstance(part, ast.FormattedValue):
            source = ast.unparse(part.value)
            words = re.findall(r"[A-Za-z_]\w*", source)
            name = words[-1] if words else "value"
            while names.setdefault(name, source) != source:
                name += "_"
            parts.append(f"{{{name}}}")
    return "".join(parts)


def sentences() -> Iterator[tuple[str, str]]:
    """Every sentence with the file in which it stands."""
    for path in sorted(SOURCES.rglob("*.py")):
        visitor = Sentences()
        visitor.visit(ast.parse(path.read_text(encoding="utf-8")))
        for text in visitor.found:
            yield text, path.relative_to(SOURCES.parent).as_posix()
    for table in sorted((SOURCES / "data").glob("*.toml")):
        for text in _noted(tomllib.loads(table.read_text(encoding="utf-8"))):
            yield text, table.relative_to(SOURCES.parent).as_posix()


def _noted(table: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """What the rows of a rule table say to a reader: holidays and notes; sources are quoted as they are."""
    for row in itertools.chain(*(rows for rows in table.values() if isinstance(rows, list))):
        yield from sorted(set(row.get("closed", {}).values()))
        if "note" in row:
            yield row["note"]


def collected() -> Catalog:
    """The catalogue that the code asks for, with the translations that qbtrade.po has."""
    known = read_catalogue() if PO.exists() else Catalog()
    fresh = Catalog(
        locale="ko", domain="qbtrade", project="qbtrade", header_comment="# Korean texts of qbtrade.", fuzzy=False,
        creation_date=_DATED, revision_date=_DATED, last_translator="qbtrade", language_team="ko",
    )  # fmt: skip
    for text, place in sentences():
        before = known.get(text)
        fresh.add(text, string=str(before.string) if before else "", locations=[(place, 0)])
    return fresh


def read_catalogue() -> Catalog:
    """qbtrade.po as it is."""
    with PO.open("rb") as file:
        return read_po(file, locale="ko", domain="qbtrade")


def written(catalogue: Catalog) -> bytes:
    """The bytes of qbtrade.po."""
    buffer = BytesIO()
    write_po(buffer, catalogue, width=120, sort_output=True, include_lineno=False, omit_header=False)
    return buffer.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """The bytes of qbtrade.mo."""
    buffer = BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def main() -> None:
    """Bring one of the two files up to date."""
    if sys.argv[1:] == ["compile"]:
        MO.write_bytes(compiled(read_catalogue()))
        return
    catalogue = collected()
    PO.parent.mkdir(parents=True, exist_ok=True)
    PO.write_bytes(written(catalogue))
    for message in catalogue:
        if message.id and not message.string:
            print(f"not translated: {message.id!r}")


if __name__ == "__main__":
    main()
