"""Who may call KIS now: a sliding window of calls that all processes of a key share, with room kept for cancels.

Source: PROTOCOL 4.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from qbtrade.adapters.kis.call import Priority
from qbtrade.adapters.kis.environment import NS, KisLimits
from qbtrade.kernel.clock import FOREVER

MILLI: Final = 1000
BUSY: Final = NS // 500
"""How long to wait for another process that has the grants open."""
LONGEST_BUSY: Final = NS
"""A process that keeps the grants longer is stuck; from then on each goes by its own calls."""
PENALTY: Final = NS
_ORDERS: Final = frozenset({Priority.PROTECT, Priority.LOOKUP, Priority.ORDER})


class Grants(msgspec.Struct, frozen=True):
    """Calls granted lately, oldest first, UTC ns. held, ledger_held: until when nothing, no ledger call may go."""

    calls: tuple[int, ...] = ()
    held: int = 0
    ledger_held: int = 0


class GrantStore(Protocol):
    """Where the grants of a key stand."""

    def update(self, change: Callable[[Grants], Grants]) -> bool:
        """Replace them, alone. False, with nothing changed, while another process has them open."""
        ...


class OwnGrants:
    """Grants of one process."""

    def __init__(self) -> None:
        self.grants = Grants()

    def update(self, change: Callable[[Grants], Grants]) -> bool:
        """Replace them."""
        self.grants = change(self.grants)
        return True


class Wish(msgspec.Struct, frozen=True):
    """A call that would like to go now. ledger: see Call."""

    priority: Priority
    ledger: bool = False


class Budget(msgspec.Struct, frozen=True):
    """How much of the window is used, in calls; for the status panel."""

    used: int
    allowed: int


class Limiter:
    """Grants calls in order of priority. Keeps no queue: whoever waits asks again at the time it is given."""

    def __init__(self, limits: KisLimits, store: GrantStore) -> None:
        rate = limits.calls_per_second_milli
        self._allowed = max(1, rate // MILLI)
        self._window = max(NS, NS * MILLI // rate) + limits.margin_ns
        self._ledger_gap = limits.ledger_gap_ns
        self._kept_for_cancels = limits.kept_for_cancels
        self._kept_for_orders = limits.kept_for_orders
        self._store: GrantStore = store
        self._own = OwnGrants()
        self._busy_since: int | None = None
        self._seen = Grants()

    def take(self, now: int, wishes: Sequence[Wish]) -> tuple[list[int], int]:
        """Which of these wishes may go now, as positions, most urgent first; and when to ask again for the others."""
        if not wishes:
            return [], FOREVER
        granted: list[int] = []
        order = sorted(range(len(wishes)), key=lambda position: wishes[position].priority)

        def change(before: Grants) -> Grants:
            granted.clear()
            grants = self._recent(before, now)
            for position in order:
                if self._free_at(grants, wishes[position]) <= now:
                    granted.append(position)
                    grants = self._with(grants, now, wishes[position])
            self._seen = grants
            return grants

        if not self._update(now, change):
            return [], now + BUSY
        left = [wish for position, wish in enumerate(wishes) if position not in granted]
        return granted, min((self._free_at(self._seen, wish) for wish in left), default=FOREVER)

    def punish(self, now: int, *, ledger_only: bool) -> None:
        """KIS said that it was asked too often: rest for a second, all processes of the key."""

        def change(before: Grants) -> Grants:
            grants = self._recent(before, now)
            until = now + PENALTY
            if ledger_only:
                return msgspec.structs.replace(grants, ledger_held=max(grants.ledger_held, until))
            return msgspec.structs.replace(grants, held=max(grants.held, until))

        if not self._store.update(change):
            self._own.update(change)

    def budget(self, now: int) -> Budget:
        """What this process last saw of the window."""
        return Budget(len(self._recent(self._seen, now).calls), self._allowed)

    def _update(self, now: int, change: Callable[[Grants], Grants]) -> bool:
        if self._store.update(change):
            self._busy_since = None
            self._own.grants = self._seen
            return True
        if self._busy_since is None:
            self._busy_since = now
        return now - self._busy_since >= LONGEST_BUSY and self._own.update(change)

    def _recent(self, grants: Grants, now: int) -> Grants:
        """What still counts; times far ahead of the clock were written under another one."""
        ahead, since, until = max(PENALTY, self._ledger_gap), now - self._window, now + self._window
        return Grants(
            tuple([ts for ts in grants.calls if since < ts <= until]),
            grants.held if grants.held <= now + ahead else 0,
            grants.ledger_held if grants.ledger_held <= now + ahead else 0,
        )

    def _free_at(self, grants: Grants, wish: Wish) -> int:
        """The time from which this wish can be granted, as far as is known."""
        calls, allowed = grants.calls, self._share(wish.priority)
        free = calls[-allowed] + self._window if len(calls) >= allowed else 0
        return max(free, grants.held, grants.ledger_held if wish.ledger else 0)

    def _share(self, priority: Priority) -> int:
        kept = 0 if priority is Priority.CANCEL else self._kept_for_cancels
        if priority not in _ORDERS and priority is not Priority.CANCEL:
            kept += self._kept_for_orders
        return max(1, self._allowed - kept)

    def _with(self, grants: Grants, now: int, wish: Wish) -> Grants:
        ledger_held = now + self._ledger_gap if wish.ledger else grants.ledger_held
        return Grants((*grants.calls, now), grants.held, ledger_held)
