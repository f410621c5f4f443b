from collections.abc import Iterator
from enum import StrEnum

import pytest

from qbtrade.app.scenarios import SCENARIOS
from qbtrade.cli import words
from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import Level, Outcome, RiskState
from qbtrade.domain.order import OrderKind, OrderStatus, Purpose, Side
from qbtrade.engines.risk_rules.case import Rule


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
