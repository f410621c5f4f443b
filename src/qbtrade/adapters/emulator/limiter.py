"""How often somebody may call: a window that slides."""

from collections import defaultdict, deque


class SlidingLimit:
    """At most `calls` in any `span` ns, for each key by itself. Refused calls do not count."""

    def __init__(self, calls: int, span: int) -> None:
        self._calls, self._span = calls, span
        self._taken: defaultdict[str, deque[int]] = defaultdict(deque)

    def allows(self, now: int, key: str) -> bool:
        """Take one call if there is room."""
        taken = self._taken[key]
        while taken and taken[0] <= now - self._span:
            taken.popleft()
        if len(taken) >= self._calls:
            return False
        taken.append(now)
        return True
