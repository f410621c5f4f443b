from pathlib import Path

import pytest

from tools.docs_console import Console, only


def test_what_a_page_shows_is_the_same_in_every_run(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "somewhere-with-a-longer-name"
    shown = []
    for folder in (first, second):
        folder.mkdir()
        console = Console(folder)
        shown.append(console.show("qb simulate --ticks 500") + console.show("qb report"))
    assert shown[0] == shown[1]
    assert str(tmp_path) not in shown[0]
    assert "~/.local/share/qbtrade/reports/20261123-200000-000001.json" in shown[0]


def test_a_command_that_ends_otherwise_than_expected_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended with 2, not 0"):
        Console(tmp_path).show("qb simulate --cash nothing")


def test_an_expected_failure_is_shown_with_its_exit_code(tmp_path: Path) -> None:
    shown = Console(tmp_path).show("qb report show", exit_code=3)
    assert shown.startswith("```console\n$ qb report show\nerror: no session in ~/.local/share/qbtrade/journals")
    assert shown.endswith("\n$ echo $?\n3\n```\n")


def test_only_qb_is_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not begin with qb"):
        Console(tmp_path).run("rm -rf something")


def test_paragraphs_that_nobody_asked_for_become_an_ellipsis() -> None:
    text = "Head\n1\n\nOther\n2\n\nMore\n3\n\nTail\n4"
    assert only("Head", "Tail")(text) == "Head\n1\n\n…\n\nTail\n4"
