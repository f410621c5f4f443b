"""What the stream keeps to, and what it can ask of its transport."""

from enum import Enum, auto

import msgspec

from qbtrade.adapters.kis.reconnects import Pace
from qbtrade.domain.calendar import MINUTE, NS
from qbtrade.domain.message import Event


class StreamLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What KIS allows and how long we wait, in ns of the market clock.

    registrations: channels per session. answer: for the answer to a command. silence: without a word, PINGPONG
    included, until the line counts as dead. good: a connection that lasts so long was no failure. key_life: an approval
    key older than this is not used to connect. ask_again: between two wishes for a key.
    """

    registrations: int = 41
    answer: int = 5 * NS
    silence: int = 75 * NS
    good: int = MINUTE
    key_life: int = 23 * 60 * MINUTE
    ask_again: int = MINUTE
    pace: Pace = Pace()

    def at_speed(self, speed: int) -> "StreamLimits":
        """The same for a market clock that runs `speed` times faster: answers and silence keep their machine time."""
        return msgspec.structs.replace(
            self,
            answer=self.answer * speed,
            silence=max(self.silence, 5 * NS * speed),
            ask_again=self.ask_again * speed,
        )


class Connect(msgspec.Struct, frozen=True):
    """Open a connection, then tell `on_open` or `on_closed`."""


class SendText(msgspec.Struct, frozen=True):
    """Send one text. Not printed, for it may hold the approval key."""

    text: str

    def __repr__(self) -> str:
        return f"SendText({len(self.text)} characters)"


class Close(msgspec.Struct, frozen=True):
    """Close the connection cleanly (1000). Nothing more needs to be told about it."""


Output = Connect | SendText | Close | Event
"""What comes out. Events are for the bus: market data may be conflated, all others may not."""


class State(Enum):
    """Where the connection stands."""

    STOPPED = auto()
    KEYLESS = auto()
    WAITING = auto()
    CONNECTING = auto()
    OPEN = auto()
