"""The long memory of a session: PostgreSQL, where it is configured, kept as far as the journal is."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from qbtrade.adapters.kis.environment import Secret
from qbtrade.domain.events import Alert, Level
from qbtrade.kernel.bus import Bus

if TYPE_CHECKING:
    from qbtrade.adapters.store.postgres.follower import Follower

NONE: Final = Secret("")
PATIENCE: Final = 5.0
"""Machine seconds to pass on the last rows; what remains is passed on by `qb db fill`."""


class LongMemory:
    """Follows the journal of one run. url: of the database, "" for none."""

    def __init__(self, url: Secret = NONE) -> None:
        self._url = url
        self._follower: Follower | None = None
        self._is_away = False

    def begin(self, journal: Path) -> None:
        """Follow a journal that was just made, on a thread of its own."""
        if self._url:
            from qbtrade.adapters.store.postgres.follower import Follower

            self._follower = Follower(self._url.reveal(), journal)
            self._follower.start()

    def end(self) -> None:
        """Pass on what is left, as far as the database takes it in time."""
        if self._follower is not None:
            self._follower.stop(PATIENCE)

    @property
    def behind(self) -> int:
        """Rows of the journal that the database lacks; -1 where there is none."""
        return self._follower.progress.behind if self._follower else -1

    def look(self, bus: Bus, now: int) -> None:
        """Say once that the database is away, and once that it is back."""
        problem = self._follower.problem if self._follower else ""
        if problem and not self._is_away:
            text = f"PostgreSQL takes no rows ({problem}): the journal keeps them, trading goes on"
            bus.publish(Alert(now, Level.WARNING, "database-away", text, "see `qb db check`; `qb db fill` catches up"))
        elif self._is_away and not problem:
            bus.publish(
                Alert(now, Level.INFO, "database-back", "PostgreSQL takes rows again, and gets those it missed")
            )
        self._is_away = bool(problem)
