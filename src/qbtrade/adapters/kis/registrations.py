"""The channels that we want of the stream, and the commands that ask for them: one at a time, each answered.

Answers carry no request id, so the next command waits for the last one's answer. Source: PROTOCOL 6.1 and 6.2.
"""

from collections import deque
from enum import StrEnum
from typing import Final, NamedTuple

from qbtrade.adapters.kis.frames import Control

TRIES: Final = 3
_ALREADY: Final = "OPSP0002"
_ALREADY_TEXT: Final = "ALREADY IN SUBSCRIBE"
_TO_REGISTER: Final = frozenset({"OPSP0000", "OPSP0002", "OPSP0008"})
_TO_DROP: Final = frozenset({"OPSP0001", "OPSP0003"})
_PASSING: Final = frozenset({"OPSP0007", "OPSP0009"})


class Channel(NamedTuple):
    """What is subscribed to. tr_key: a symbol, or the HTS id for order notices."""

    tr_id: str
    tr_key: str


class Command(NamedTuple):
    """One line to the server."""

    channel: Channel
    registers: bool


class Verdict(StrEnum):
    """What an answer means for the command that waits for one."""

    NOT_OURS = "NOT_OURS"
    DONE = "DONE"
    ALREADY = "ALREADY"
    REFUSED = "REFUSED"
    LATER = "LATER"


class Registrations:
    """Which channels are wanted, queued or being asked for. Survives the connection.

    most: channels that one session may have. patience: ns to wait for an answer.
    """

    def __init__(self, most: int, patience: int) -> None:
        self._most, self._patience = most, patience
        self.wanted: dict[Channel, None] = {}  # in the order in which they were wanted
        self._queue: deque[Command] = deque()
        self._sent: Command | None = None
        self._tries = 0
        self.due: int | None = None

    def want(self, channel: Channel) -> bool:
        """Queue a channel; False when it would be one too many. Wanting it twice is harmless."""
        if channel in self.wanted:
            return True
        if len(self.wanted) >= self._most:
            return False
        self.wanted[channel] = None
        self._queue.append(Command(channel, registers=True))
        return True

    def drop(self, channel: Channel) -> None:
        """Queue the end of a channel. Harmless when it was not wanted."""
        if channel not in self.wanted:
            return
        del self.wanted[channel]
        if Command(channel, registers=True) in self._queue:
            self._queue.remove(Command(channel, registers=True))
        else:
            self._queue.append(Command(channel, registers=False))

    def again(self, channel: Channel) -> None:
        """End and begin a channel before anything else: the answer lacked what only a fresh one brings."""
        self._queue.extendleft((Command(channel, registers=True), Command(channel, registers=False)))

    def restart(self) -> None:
        """A new connection knows nothing: queue every wanted channel, in the order in which they were wanted."""
        self._queue = deque(Command(channel, registers=True) for channel in self.wanted)
        self._sent, self.due = None, None

    @property
    def settled(self) -> bool:
        """Nothing queued, nothing unanswered."""
        return self._sent is None and not self._queue

    def next(self, now: int) -> Command | None:
        """The command to send now, if none waits for its answer."""
        if self._sent is not None or not self._queue:
            return None
        self._sent, self._tries = self._queue.popleft(), 1
        self.due = now + self._patience
        return self._sent

    def repeat(self, now: int) -> Command | None:
        """The unanswered command once more; None when it was sent often enough."""
        if self._tries >= TRIES:
            return None
        self._tries += 1
        self.due = now + self._patience
        return self._sent

    def answer(self, control: Control) -> tuple[Verdict, Command | None]:
        """Judge an answer, and name the command that it ends."""
        sent = self._sent
        if sent is None or not self._is_for(sent, control):
            return Verdict.NOT_OURS, None
        verdict = self._verdict(sent, control)
        if verdict is Verdict.LATER:
            return verdict, sent
        self._sent, self.due = None, None
        if sent.registers and verdict is Verdict.REFUSED:
            self.wanted.pop(sent.channel, None)
        return verdict, sent

    @staticmethod
    def _is_for(sent: Command, control: Control) -> bool:
        if control.code in (_TO_DROP if sent.registers else _TO_REGISTER):
            return False  # late, and of an earlier command
        named = control.tr_id == sent.channel.tr_id and control.tr_key in {sent.channel.tr_key, ""}
        return named or (not control.is_success and control.tr_id in {"", "(null)"})

    @staticmethod
    def _verdict(sent: Command, control: Control) -> Verdict:
        if control.is_success or (not sent.registers and control.code in _TO_DROP):
            return Verdict.DONE
        if sent.registers and (control.code == _ALREADY or _ALREADY_TEXT in control.text):
            return Verdict.ALREADY
        return Verdict.LATER if control.code in _PASSING else Verdict.REFUSED
