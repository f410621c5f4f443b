"""The stream client as a state machine: what happened and when goes in, what to do and what was learned comes out.

Source: PROTOCOL section 6. It has no replay: what went by while it was away is asked over REST, by `Gaps`.
"""

from collections.abc import Sequence
from random import Random
from typing import Final

import msgspec

from qbtrade.adapters.kis.events import (
    KeyWanted,
    Notice,
    NoticeUnread,
    OperationUnread,
    Registered,
    RegistrationRefused,
)
from qbtrade.adapters.kis.frames import OPERATIONS, QUOTES, TRADES, Control, Frame, Reader, read_control, read_frame
from qbtrade.adapters.kis.notices import NOTICES, Seal, read_notices
from qbtrade.adapters.kis.operations import read_operations
from qbtrade.adapters.kis.reconnects import Reconnects
from qbtrade.adapters.kis.registrations import Channel, Command, Registrations, Verdict
from qbtrade.adapters.kis.stream_terms import Close, Connect, Output, SendText, State, StreamLimits
from qbtrade.adapters.kis.tape import Tape
from qbtrade.domain.calendar import DAY, MINUTE, kst_date
from qbtrade.domain.events import Alert, FeedLost, FeedRestored, Level
from qbtrade.errors import WireError

KST_SHIFT: Final = 9 * 60 * MINUTE
_IN_USE: Final = "OPSP8996"
_BAD_KEYS: Final = frozenset({"OPSP0010", "OPSP0011"})


class Stream:
    """One session with KIS's stream. Every method takes the market time and returns what to do, in order.

    account: ten digits; notices of others are counted and dropped. rng: for the jitter of reconnects.
    """

    def __init__(self, account: str, rng: Random, limits: StreamLimits | None = None) -> None:
        self._account, self._limits = account, limits or StreamLimits()
        self._reconnects = Reconnects(rng, self._limits.pace)
        self._registrations = Registrations(self._limits.registrations, self._limits.answer)
        self._tape = Tape()
        self._reader = Reader(self._tape)
        self._seals: dict[str, Seal] = {}
        self._state = State.STOPPED
        self._key, self._key_since = "", 0
        self._not_before = 0  # the next connect
        self._at = 0  # the next turn: a connect, or another wish for a key
        self._begged = set[Channel]()  # notice channels asked for twice, because their key was missing
        self._opened = self._heard = self._texts = 0
        self._lost_at: int | None = None
        self._today, self._tomorrow_at = "", 0
        self._tally = dict.fromkeys(("connects", "losses", "unread", "foreign", "stray"), 0)

    # what is wished for

    def start(self, now: int) -> list[Output]:
        """Connect and stay connected."""
        if self._state is not State.STOPPED:
            return []
        self._heard = self._not_before = now
        return self._approach(now)

    def use_key(self, now: int, key: str) -> list[Output]:
        """Take an approval key issued at `now`."""
        self._key, self._key_since = key, now
        return self._approach(now) if self._state is State.KEYLESS else []

    def register(self, now: int, channel: Channel) -> list[Output]:
        """Want a channel from now on, over reconnects. One too many is refused here and never sent."""
        if not self._registrations.want(channel):
            text = f"a session has room for {self._limits.registrations} channels"
            return [RegistrationRefused(now, *channel, "registrations-full", text)]
        return self._go_on(now)

    def unregister(self, now: int, channel: Channel) -> list[Output]:
        """Want a channel no more."""
        self._registrations.drop(channel)
        return self._go_on(now)

    def reconnect(self, now: int, reason: str) -> list[Output]:
        """Give up a connection that stands. reason: words."""
        return [Close(), *self._lose(now, reason)] if self._state is State.OPEN else []

    def stop(self) -> list[Output]:
        """End the session for good."""
        outputs: list[Output] = [Close()] if self._state in {State.OPEN, State.CONNECTING} else []
        self._state = State.STOPPED
        return outputs

    # what is told

    @property
    def due(self) -> int | None:
        """When `on_timer` is wanted next; None while only a word from outside can change anything."""
        match self._state:
            case State.KEYLESS | State.WAITING:
                return self._at
            case State.OPEN:
                dead, answer = self._heard + self._limits.silence, self._registrations.due
                return dead if answer is None else min(dead, answer)
            case State.STOPPED | State.CONNECTING:
                return None

    def on_open(self, now: int) -> list[Output]:
        """The connection asked for stands."""
        if self._state is not State.CONNECTING:
            return [Close()]
        self._state, self._opened, self._heard = State.OPEN, now, now
        self._registrations.restart()
        self._begged.clear()
        return self._go_on(now)

    def on_closed(self, now: int, reason: str) -> list[Output]:
        """The connection ended, or could not be made. reason: words."""
        if self._state not in {State.OPEN, State.CONNECTING}:
            return []
        return self._lose(now, reason)

    def on_timer(self, now: int) -> list[Output]:
        """Time has come; harmless when it has not."""
        due = self.due
        if due is None or now < due:
            return []
        if self._state is not State.OPEN:
            return self._approach(now)
        if now >= self._heard + self._limits.silence:
            return [Close(), *self._lose(now, "silent")]
        command = self._registrations.repeat(now)
        if command is None:
            return [Close(), *self._lose(now, "unanswered")]
        return [self._text(command)]

    def on_text(self, now: int, text: str) -> Sequence[Output]:
        """A frame, an answer or a PINGPONG arrived. Nothing that it may hold raises."""
        if self._state is not State.OPEN:
            return []
        self._heard = now
        self._texts += 1
        if now >= self._tomorrow_at:
            self._turn_day(now)
        try:
            if text[:1] in {"0", "1"}:
                return self._on_frame(now, read_frame(text))
            return self._on_control(now, text, read_control(text))
        except WireError:
            self._tally["unread"] += 1
            return []

    def counts(self) -> dict[str, int]:
        """What was seen since the beginning, by name."""
        tape, reader = self._tape, self._reader
        return self._tally | {
            "texts": self._texts,
            "records": reader.records,
            "unread_trades": reader.unread[TRADES],
            "unread_quotes": reader.unread[QUOTES],
            "repeats": tape.repeats,
            "late": tape.late,
            "restarts": tape.restarts,
            "missed_volume": tape.missed_volume,
            "registrations": len(self._registrations.wanted),
        }

    @property
    def is_open(self) -> bool:
        """A connection stands."""
        return self._state is State.OPEN

    # frames

    def _on_frame(self, now: int, frame: Frame) -> Sequence[Output]:
        if frame.tr_id == TRADES and not frame.sealed:
            trades = self._reader.trades(frame, self._today)
            best = self._reader.best(self._registrations.wanted)
            return [best, *trades] if best else trades
        if frame.tr_id == QUOTES and not frame.sealed:
            return self._reader.quotes(frame, self._today)
        if frame.tr_id in NOTICES:
            return self._on_notices(now, frame)
        if frame.tr_id == OPERATIONS and not frame.sealed:
            return self._on_operations(now, frame)
        raise WireError(frame.tr_id, "sealed, or of a kind that is not read")

    def _on_notices(self, now: int, frame: Frame) -> list[Output]:
        try:
            found = read_notices(frame, self._seals.get(frame.tr_id), now, self._today)
        except WireError as error:
            found = [error]
        outputs = list[Output]()
        for each in found:
            if not isinstance(each, Notice):
                self._tally["unread"] += 1
                outputs.append(NoticeUnread(now, each.problem))
            elif each.account == self._account:
                outputs.append(each)
            else:
                self._tally["foreign"] += 1
        return outputs

    def _on_operations(self, now: int, frame: Frame) -> list[Output]:
        found = read_operations(frame, now)
        self._tally["unread"] += sum(isinstance(each, OperationUnread) for each in found)
        return list(found)

    def _turn_day(self, now: int) -> None:
        self._today = kst_date(now).strftime("%Y%m%d")
        self._tomorrow_at = ((now + KST_SHIFT) // DAY + 1) * DAY - KST_SHIFT

    # answers

    def _on_control(self, now: int, text: str, control: Control) -> list[Output]:
        if control.is_ping:
            return [SendText(text)]
        if control.code == _IN_USE:
            return self._stand_back(now)
        if control.code in _BAD_KEYS:
            self._key = ""
            return [Close(), *self._lose(now, control.text or "approval key refused")]
        verdict, command = self._registrations.answer(control)
        if command is None or verdict is Verdict.LATER:
            self._tally["stray"] += command is None
            return []
        return [*self._settle(now, verdict, command, control), *self._go_on(now)]

    def _settle(self, now: int, verdict: Verdict, command: Command, control: Control) -> list[Output]:
        """What the answer to a command changes."""
        channel = command.channel
        if not command.registers:
            return []
        if verdict is Verdict.REFUSED:
            return [RegistrationRefused(now, *channel, control.code, control.text)]
        self._reconnects.served()
        if channel.tr_id in NOTICES and not self._has_seal(channel, control):
            return self._beg(now, channel)
        return [Registered(now, *channel)]

    def _has_seal(self, channel: Channel, control: Control) -> bool:
        try:
            self._seals[channel.tr_id] = Seal(control.key, control.iv)
        except WireError:
            return channel.tr_id in self._seals
        return True

    def _beg(self, now: int, channel: Channel) -> list[Output]:
        """Notices that cannot be opened are worth nothing: ask for the channel afresh, once."""
        if channel not in self._begged:
            self._begged.add(channel)
            self._registrations.again(channel)
            return []
        self._registrations.drop(channel)
        return [RegistrationRefused(now, *channel, "no-notice-key", "the answer brings no key for the notices")]

    def _go_on(self, now: int) -> list[Output]:
        """Send the next command; with none left, the feed is whole again."""
        if self._state is not State.OPEN:
            return []
        command = self._registrations.next(now)
        return self._restored(now) if command is None else [self._text(command)]

    def _text(self, command: Command) -> SendText:
        """Source: PROTOCOL 6.1."""
        tr_id, tr_key = command.channel
        header = {
            "approval_key": self._key, "custtype": "P", "tr_type": "1" if command.registers else "2",
            "content-type": "utf-8",
        }  # fmt: skip
        message = {"header": header, "body": {"input": {"tr_id": tr_id, "tr_key": tr_key}}}
        return SendText(msgspec.json.encode(message).decode())

    # connections

    def _approach(self, now: int) -> list[Output]:
        """Connect when it is time, there is a key, and the allowance lets us."""
        if not self._key or now - self._key_since >= self._limits.key_life:
            self._state, self._at = State.KEYLESS, now + self._limits.ask_again
            return [KeyWanted(now, "expired" if self._key else "none")]
        self._at = self._reconnects.allowed_at(self._not_before)
        if now < self._at:
            self._state = State.WAITING
            return []
        self._state = State.CONNECTING
        self._tally["connects"] += 1
        self._reconnects.spend(now)
        return [Connect()]

    def _lose(self, now: int, reason: str) -> list[Output]:
        if self._state is State.OPEN and now - self._opened >= self._limits.good:
            self._reconnects.lasted()
        self._not_before = self._reconnects.after_failure(now)
        return [*self._lost(now, reason), *self._approach(now)]

    def _stand_back(self, now: int) -> list[Output]:
        """Another session holds the key: go away quietly and for long. Source: PROTOCOL 6.8."""
        alert = Alert(
            now, Level.CRITICAL, "stream-in-use", "KIS says that another session uses this app key",
            "Close any other program with this key; a session that died is let go within minutes",
        )  # fmt: skip
        self._not_before = self._reconnects.after_in_use(now)
        return [Close(), alert, *self._lost(now, "in use elsewhere"), *self._approach(now)]

    def _lost(self, now: int, reason: str) -> list[Output]:
        self._tally["losses"] += 1
        self._seals.clear()
        if self._lost_at is not None:
            return []
        self._lost_at = self._heard
        return [FeedLost(now, reason)]

    def _restored(self, now: int) -> list[Output]:
        if self._lost_at is None or not self._registrations.settled:
            return []
        began, self._lost_at = self._lost_at, None
        return [FeedRestored(now, now - began)]
