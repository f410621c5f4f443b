"""The typed first-in first-out bus: all subscribers of one event return before the next event starts."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from qbtrade.domain.message import Event

E = TypeVar("E", bound=Event)


class Routes(dict[type[Event], tuple[Callable[[Any], None], ...]]):
    """Handlers by event type; a type that nobody subscribed to has none."""

    def __missing__(self, event_type: type[Event]) -> tuple[Callable[[Any], None], ...]:
        """Nobody listens."""
        return ()


class Bus:
    """Delivers each event to the handlers of its exact type, in the order in which they subscribed.

    routes, queue and busy are open to the loop, which delivers data events itself: one call less for each trade.
    """

    __slots__ = ("busy", "delivered", "queue", "routes")

    def __init__(self) -> None:
        self.routes = Routes()
        self.queue: deque[Event] = deque()
        self.busy = False
        self.delivered = 0

    def subscribe(self, event_type: type[E], handler: Callable[[E], None]) -> None:
        """Call `handler` for every event of exactly this type, after those already subscribed."""
        self.routes[event_type] = (*self.routes[event_type], handler)

    def subscribe_all(self, event_types: Iterable[type[Event]], handler: Callable[[Any], None]) -> None:
        """Call `handler` for every event of these types."""
        for event_type in event_types:
            self.subscribe(event_type, handler)

    def publish(self, event: Event) -> None:
        """Deliver now, or behind the events already queued when called from a handler.

        A handler's exception passes through; what was queued behind it is dropped, because the session ends there.
        """
        self.queue.append(event)
        if not self.busy:
            self.drain()

    def drain(self) -> None:
        """Deliver what is queued until nothing is left."""
        routes, queue = self.routes, self.queue
        outermost, self.busy = not self.busy, True
        try:
            while queue:
                event = queue.popleft()
                self.delivered += 1
                for handler in routes[event.__class__]:
                    handler(event)
        except BaseException:
            queue.clear()
            raise
        finally:
            if outermost:
                self.busy = False
