import gettext
import re

import pytest

from qbtrade.cli import text, words
from qbtrade.errors import FileError, RowError, UnknownNameError
from tools import messages

FIELD = re.compile(r"\{[^{}]*\}")
LATIN = re.compile(r"[A-Za-z]")


@pytest.fixture
def korean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QB_LANG", "ko")


@pytest.mark.parametrize(
    ("env", "language"),
    [
        ({"QB_LANG": "ko", "LANG": "en_US.UTF-8"}, "ko"),
        ({"QB_LANG": "en", "LANG": "ko_KR.UTF-8"}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LC_ALL": "C", "LANG": "ko_KR.UTF-8"}, "en"),
        ({"LC_MESSAGES": "ko_KR", "LANG": "C"}, "ko"),
        ({"LANG": "de_DE"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_what_qb_lang_says_else_the_locale(
    env: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("QB_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert text.language() == language


def test_english_is_the_source_text() -> None:
    assert words.explain(UnknownNameError("command", "simulat", ["simulate"])) == (
        "unknown command 'simulat'. Did you mean 'simulate'?"
    )


def test_an_error_is_translated_with_its_values(korean: None) -> None:
    del korean
    line = words.explain(FileError("cannot write {path}: {cause}", path="/x{}", cause="No space"))
    assert line == text._("cannot write {path}: {cause}").format(path="/x{}", cause="No space")
    assert "/x{}" in line
    assert "cannot" not in line


def test_words_of_ours_inside_an_error_are_translated_and_the_users_are_not(korean: None) -> None:
    del korean
    line = words.explain(UnknownNameError("strategy", "strategy", ["sma_cross"]))
    assert line.count("strategy") == 1


def test_a_sentence_that_arrives_filled_in_is_recognised(korean: None) -> None:
    del korean
    sentence = "005930: a print of 10 x 3 was set aside (off-band)"
    told = words.said(sentence)
    assert told != sentence
    assert all(part in told for part in ("005930", "10", "3"))


def test_a_sentence_that_nobody_knows_stays_as_it_is(korean: None) -> None:
    del korean
    assert words.said("Some venue's own words {x}") == "Some venue's own words {x}"


def test_a_row_error_keeps_its_place(korean: None) -> None:
    del korean
    assert "a.csv" in words.explain(RowError("a.csv", 7, "price", "is negative"))


def test_every_sentence_of_the_code_stands_in_the_catalogue() -> None:
    asked = {sentence for sentence, _place in messages.sentences()}
    known = {str(message.id) for message in messages.read_catalogue() if message.id}
    assert asked == known, "run python tools/messages.py"


def test_every_sentence_is_translated_with_all_its_fields() -> None:
    for message in messages.read_catalogue():
        if message.id:
            assert message.string, f"not translated: {message.id!r}"
            assert sorted(FIELD.findall(str(message.string))) == sorted(FIELD.findall(str(message.id))), message.id


def test_the_compiled_catalogue_is_the_written_one() -> None:
    with messages.MO.open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in messages.read_catalogue():
        if message.id:
            assert compiled.gettext(str(message.id)) == message.string, "run python tools/messages.py compile"
