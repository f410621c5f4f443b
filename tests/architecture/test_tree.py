import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import ROOT, texts

LONGEST_FILE = 320
LONGEST_FUNCTION = 60
HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
HANGUL_MAY_STAND = ("docs/", "README", "src/qbtrade/cli/locale/", "src/qbtrade/data/", "tests/")
LEFT_OVER = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")
HOSTS = ("pypi" + ".org", "pythonhosted" + ".org", "--index" + "-url", "--find" + "-links /")


def python_sources() -> Iterator[tuple[str, str]]:
    return ((name, text) for name, text in texts((".py",)) if name.startswith("src/"))


def functions(text: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_no_source_file_is_longer_than_a_reader_bears() -> None:
    assert [name for name, text in python_sources() if text.count("\n") > LONGEST_FILE] == []


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{name}:{function.lineno} {function.name}"
        for name, text in python_sources()
        for function in functions(text)
        if (function.end_lineno or 0) - function.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_hangul_stands_only_in_the_catalogue_documents_and_tables() -> None:
    assert [name for name, text in texts() if HANGUL.search(text) and not name.startswith(HANGUL_MAY_STAND)] == []


def test_nothing_is_left_for_later_in_the_sources() -> None:
    assert [name for name, text in python_sources() if LEFT_OVER.search(text)] == []


def test_no_file_names_this_machine() -> None:
    places = [str(place) for place in (ROOT, ROOT.parent / "shared", Path.home()) if len(place.parts) > 1]
    assert [name for name, text in texts() if any(f"{place}/" in text for place in places)] == []


def test_no_file_names_a_package_registry() -> None:
    assert [name for name, text in texts() if any(host in text for host in HOSTS)] == []


def test_every_module_says_what_it_holds() -> None:
    assert [name for name, text in python_sources() if not ast.get_docstring(ast.parse(text))] == []
