"""What docs/glossary.md shows: names of denials and states with their words on the screen. Called by cog."""

import gettext
from collections.abc import Iterable, Iterator
from typing import Final

from qbtrade.cli.text import DOMAIN, LOCALE
from qbtrade.cli.words import WORDS
from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import Outcome, RiskState
from qbtrade.domain.order import OrderStatus
from qbtrade.engines.risk_rules import Rule

_KOREAN: Final = gettext.translation(DOMAIN, LOCALE, ["ko"]).gettext


def rules() -> list[type[Rule]]:
    """Every rule that may deny an order."""
    return sorted(_below(Rule), key=lambda rule: list(WORDS).index(rule.slug))  # type: ignore[type-abstract]


def denial_table() -> str:
    """Every reason of a denial, with what its rule demands."""
    rows = [f"{_words(rule.slug)} {(rule.__doc__ or '').partition('.')[0]} |" for rule in rules()]
    return "\n".join(["| name | on screen | Korean | what is demanded |", "| --- | --- | --- | --- |", *rows, ""])


def state_table() -> str:
    """Every state of an order, of trading, of a session and of the day."""
    groups: dict[str, Iterable[str]] = {
        "an order": OrderStatus,
        "trading": RiskState,
        "a session": [*Outcome, "UNFINISHED"],
        "the day": Phase,
    }
    rows = [f"{_words(name)} {of} |" for of, names in groups.items() for name in names]
    return "\n".join(["| name | on screen | Korean | state of |", "| --- | --- | --- | --- |", *rows, ""])


def _below(cls: type[Rule]) -> Iterator[type[Rule]]:
    for each in cls.__subclasses__():
        if "slug" in vars(each):
            yield each
        yield from _below(each)


def _words(name: str) -> str:
    return f"| `{name}` | {WORDS[name]} | {_KOREAN(WORDS[name])} |"
