"""When a session that shows no sign of life counts as dead, and what whoever watches it has to know."""

from pathlib import Path
from typing import Any, Final

import msgspec

from qbtrade.adapters.kis.environment import Environment, Secret
from qbtrade.domain.calendar import NS

STOOD_STILL: Final = 5 * NS
"""Machine time between two turns of the watcher that means: it did not run either, as when the machine slept."""


class Ward(msgspec.Struct, frozen=True):
    """A session that is watched. opens, closes: of the market's day, UTC ns. after: machine ns of silence.

    environment holds keys: this is told through a pipe, and nowhere else.
    """

    home: Path
    run_id: str
    environment: Environment
    opens: int
    closes: int
    after: int


def to_letter(ward: Ward) -> bytes:
    """A ward as it goes through the pipe."""
    return msgspec.json.encode(ward, enc_hook=_told)


def of_letter(letter: bytes) -> Ward | None:
    """The ward of a letter; None for one that is not whole."""
    try:
        return msgspec.json.decode(letter, type=Ward, dec_hook=_understood)
    except msgspec.DecodeError:
        return None


def _told(value: Any) -> str:
    return value.reveal() if isinstance(value, Secret) else str(value)


def _understood(kind: type, value: Any) -> Any:
    return kind(value)


class Silence:
    """How long nothing was heard, in machine time that counts while the machine sleeps, too.

    Whoever listens sleeps with it: after that, the session gets its whole time once more.
    """

    def __init__(self, after: int, now: int) -> None:
        self._after, self._heard, self._turned = after, now, now

    def broken(self, now: int) -> None:
        """Something was heard."""
        self._heard = self._turned = now

    def is_too_long(self, now: int) -> bool:
        """Look, which has to be done every second or so."""
        if now - self._turned > STOOD_STILL:
            self._heard = now
        self._turned = now
        return now - self._heard > self._after
