from collections.abc import Iterator
from enum import StrEnum

import pytest

from qbtrade.app.scenarios import SCENARIOS
from qbtrade.cli import words
from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import Level, Outcome, RiskState
from qbtrade.domain.order import OrderKind, OrderStatus, Purpose, Side
from qbtrade.engines.risk_rules.case import Rule
from qbtrade.errors import UsageError


def slugs(rule: type[Rule] = Rule) -> Iterator[str]:
    for kind in rule.__subclasses__():
        if "slug" in vars(kind):
            yield kind.slug
        yield from slugs(kind)


def test_every_reason_of_a_denial_has_words() -> None:
    assert len(set(slugs())) >= 15
    assert set(slugs()) <= words.WORDS.keys()


@pytest.mark.parametrize("names", [Phase, RiskState, Outcome, Level, OrderStatus, OrderKind, Purpose, Side])
def test_every_state_that_reaches_the_screen_has_words(names: type[StrEnum]) -> None:
    assert {name.value for name in names} <= words.WORDS.keys()


def test_every_scenario_has_words() -> None:
    assert {name for name, _play in SCENARIOS} <= words.FIGURES.keys()


def test_a_name_that_nobody_explained_is_shown_without_its_dashes() -> None:
    assert words.word("some-new_REASON") == "some new reason"
    assert words.unit("bananas") == "bananas"
    assert words.figure("rows_per_s") == "rows per s"


def test_names_inside_a_sentence_are_words_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QB_LANG", "ko")
    told = words.said("005930: a print of 10 x 3 was set aside (off-band)")
    assert words.word("off-band") in told


@pytest.mark.parametrize(
    ("sentence", "korean"),
    [
        ("the account trades again (feed-restored)", "계좌 거래 재개 (시세 복구)"),
        ("KIS real: the app key is missing", "KIS 실전: 앱키가 없습니다"),
        ("KIS emulator, account ******01-01", "KIS 에뮬레이터, 계좌 ******01-01"),
        (
            "18 calls a second, 3 of 18 used just now; 2 kept for cancels",
            "1초에 18회, 방금 18회 중 3회 사용, 그중 2회는 취소 몫",
        ),
    ],
)
def test_a_sentence_is_korean_to_its_last_word(sentence: str, korean: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QB_LANG", "ko")
    assert words.said(sentence) == korean


def test_an_english_sentence_names_its_reason_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QB_LANG", "en")
    assert words.said("the account trades again (feed-restored)") == "the account trades again (market data is back)"
    assert words.said("set aside (some-thing else)") == "set aside (some-thing else)"


def test_a_question_keeps_its_own_mark() -> None:
    assert words.explain(UsageError("why may trading go on?", hint="Say why")) == "why may trading go on? Say why"
    assert words.explain(UsageError("no trading today.", hint="The next day is Monday.")) == (
        "no trading today. The next day is Monday"
    )
