"""The language of the screen: English in the code, Korean from the catalogue in `locale/`.

`_` looks a sentence up at once; `N_` only marks one for the catalogue, for texts that are looked up later.
"""

import gettext
import os
import re
from functools import cache
from pathlib import Path
from typing import Final

LOCALE: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "qbtrade"
FIELD: Final = re.compile(r"\{(\w+)[^{}]*\}")
"""A placeholder of a template."""
_LOCALE: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
_configured: list[str] = []


def prefer(code: str) -> None:
    """Speak `code` where QB_LANG says nothing; "" asks the locale."""
    _configured[:] = [code]


def language() -> str:
    """`ko` or `en`: what QB_LANG says, else what was preferred, else the locale."""
    asked = next(filter(None, (os.environ.get("QB_LANG"), *_configured, *map(os.environ.get, _LOCALE))), "")
    return "ko" if asked.lower().startswith("ko") else "en"


@cache
def _catalogue(code: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE, [code], fallback=True)


@cache
def templates(code: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Sentences with placeholders, the wordiest first: a pattern for one that is filled in, and its translation."""
    pairs = getattr(_catalogue(code), "_catalog", {}).items()
    ordered = sorted((pair for pair in pairs if FIELD.search(pair[0])), key=lambda pair: len(FIELD.sub("", pair[0])))
    return tuple((_pattern(template), translation) for template, translation in reversed(ordered))


def _pattern(template: str) -> re.Pattern[str]:
    seen: set[str] = set()
    parts: list[str] = []
    for number, part in enumerate(FIELD.split(template)):
        if number % 2 == 0:
            parts.append(re.escape(part))
        else:
            parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>.+?)")
            seen.add(part)
    return re.compile("".join(parts), re.DOTALL)


def _(message: str) -> str:
    """The sentence in the user's language."""
    return _catalogue(language()).gettext(message) if message else ""


def N_(message: str) -> str:  # noqa: N802 (gettext's own name)
    """The sentence as it is, marked for the catalogue."""
    return message
