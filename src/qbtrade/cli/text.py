"""The language of the screen: English in the code, Korean from the catalogue in `locale/`.

`_` looks a sentence up at once; `N_` only marks one for the catalogue, for texts that are looked up later.
"""

import gettext
import os
import re
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from qbtrade.errors import QbError

LOCALE: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "qbtrade"
FIELD: Final = re.compile(r"\{(\w+)[^{}]*\}")
"""A placeholder of a template."""
_LOCALE: Final = ("LC_ALL", "LC_MESSAGES", "LANG")


def language() -> str:
    """`ko` or `en`: what QB_LANG says, else `.env` or `qb.toml`, else the locale."""
    asked = os.environ.get("QB_LANG") or _in_files() or next(filter(None, map(os.environ.get, _LOCALE)), "")
    return "ko" if asked.lower().startswith("ko") else "en"


def _in_files() -> str:
    with suppress(OSError):  # the folder itself may be gone
        return _said_in(Path.cwd())
    return ""


@cache
def _said_in(folder: Path) -> str:
    """The `lang` of the files in `folder`; what is wrong with them comes up when a command reads them."""
    if any((folder / name).is_file() for name in (".env", "qb.toml")):
        from qbtrade.app.config import collect

        with suppress(QbError):
            said = collect(folder, {}).get("lang")
            return said.text if said else ""
    return ""


@cache
def _catalogue(code: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE, [code], fallback=True)


@cache
def templates(code: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Sentences with placeholders: a pattern for one that is filled in, and its translation.

    What begins with words of its own comes before what begins with a placeholder, the wordiest first.
    """
    pairs = getattr(_catalogue(code), "_catalog", {}).items()
    ordered = sorted((pair for pair in pairs if FIELD.search(pair[0])), key=_distinct)
    return tuple((_pattern(template), translation) for template, translation in reversed(ordered))


def _distinct(pair: tuple[str, str]) -> tuple[bool, int]:
    template, _translation = pair
    return not template.startswith("{"), len(FIELD.sub("", template))


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
