"""The language of the screen: English in the code, Korean from the catalogue in `locale/`.

`_` looks a sentence up at once; `N_` only marks one for the catalogue, for texts that are looked up later.
"""

import gettext
import os
from functools import cache
from pathlib import Path
from typing import Final

from qbtrade.errors import QbError

LOCALE: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "qbtrade"
_ASKED: Final = ("QB_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
_TRANSLATED: Final = ("what", "problem")
"""Values of an error that are words of ours, not the user's."""


def language() -> str:
    """`ko` or `en`: what QB_LANG says, else the locale."""
    asked = next(filter(None, map(os.environ.get, _ASKED)), "")
    return "ko" if asked.lower().startswith("ko") else "en"


@cache
def _catalogue(code: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE, [code], fallback=True)


def _(message: str) -> str:
    """The sentence in the user's language."""
    return _catalogue(language()).gettext(message) if message else ""


def N_(message: str) -> str:  # noqa: N802 (gettext's own name)
    """The sentence as it is, marked for the catalogue."""
    return message


def explain(error: QbError) -> str:
    """The one line of an error in the user's language: what is wrong, then what to do."""
    values = {name: _(str(value)) if name in _TRANSLATED else value for name, value in error.values.items()}
    said = [_(template).format(**values) if values else _(template) for template in error.templates if template]
    return ". ".join(part.rstrip(".") for part in said)
