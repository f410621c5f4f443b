"""The stream side of the local KIS: sessions, registrations, PINGPONG and frames."""

from collections.abc import Callable
from random import Random
from typing import Any, Final

import msgspec

from qbtrade.adapters.emulator.access import Access
from qbtrade.adapters.emulator.answers import day_text, hour_text
from qbtrade.adapters.emulator.faults import Faults
from qbtrade.adapters.emulator.notices import NOTICE, encrypted
from qbtrade.adapters.emulator.plan import CREDENTIALS
from qbtrade.adapters.emulator.wire import Frame, Hangup, Output
from qbtrade.adapters.kis_fields import PAPER_STREAMS, Dialect
from qbtrade.domain.calendar import NS
from qbtrade.kernel.clock import SimClock

MOST: Final = 41
"""Registrations of one session, all channels together."""
REAL_STREAMS: Final = frozenset({"H0STCNT0", "H0STASP0", "H0STCNI0", "H0STMKO0"})
PING_EVERY: Final = 10 * NS
ZOMBIE: Final = 60 * NS
_UNANSWERED: Final = 6
_PATIENCE: Final = 5
"""Machine seconds that a client has at least to answer, whatever the market clock's speed."""
_LARGEST_FRAME: Final = 20
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_TEXTS: Final = {
    "OPSP0000": ("0", "SUBSCRIBE SUCCESS"),
    "OPSP0001": ("0", "UNSUBSCRIBE SUCCESS"),
    "OPSP0002": ("1", "ALREADY IN SUBSCRIBE"),
    "OPSP0003": ("1", "UNSUBSCRIBE ERROR(not found!)"),
    "OPSP0008": ("1", "MAX SUBSCRIBE OVER"),
    "OPSP0011": ("1", "invalid approval : NOT FOUND"),
    "OPSP8991": ("1", "invalid tr_id : NOT FOUND"),
    "OPSP8993": ("1", "invalid tr_key : NOT FOUND"),
    "OPSP8996": ("9", "ALREADY IN USE appkey"),
    "OPSP8997": ("1", "invalid tr_type : NOT FOUND"),
    "OPSP9991": ("1", "JSON PARSING ERROR"),
}
_SUBSCRIBE: Final = "1"
_UNSUBSCRIBE: Final = "2"


class Session:
    """One connection. app_key: whose slot it holds, "" before the first registration."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.app_key = ""
        self.registered: dict[tuple[str, str], None] = {}
        self.secrets: dict[str, tuple[str, str]] = {}
        self.unanswered = 0


class Stream:
    """All sessions of one side. out: takes what is to be sent. symbols: that can be registered."""

    def __init__(
        self, clock: SimClock, side: Dialect, access: Access, faults: Faults, rng: Random,
        out: Callable[[Output], None], symbols: frozenset[str], speed: int = 1,
    ) -> None:  # fmt: skip
        self._clock, self._side, self._access, self._faults = clock, side, access, faults
        self._rng, self._out, self._symbols = rng, out, symbols
        self._sessions: dict[int, Session] = {}
        self._zombies: dict[str, int] = {}
        self._most_unanswered = max(_UNANSWERED, _PATIENCE * NS * speed // PING_EVERY)
        self._streams = PAPER_STREAMS if side == "paper" else REAL_STREAMS

    def connect(self, number: int) -> None:
        """A socket opened."""
        self._sessions[number] = Session(number)
        self._clock.call_at(self._clock.now() + PING_EVERY, lambda due: self._beat(due, number))

    def disconnect(self, number: int) -> None:
        """A socket ended, from whatever side."""
        session = self._sessions.pop(number, None)
        if session and session.app_key and self._faults.hits("zombie-slot"):
            self._zombies[session.app_key] = self._clock.now() + ZOMBIE

    def restart(self) -> None:
        """End every session without a close frame, where the server restarts on Fridays."""
        if self._faults.hits("friday-restart"):
            for number in list(self._sessions):
                self._hang_up(number)

    def pong(self, number: int) -> None:
        """A pong control frame came."""
        if number in self._sessions:
            self._sessions[number].unanswered = 0

    def receive(self, number: int, text: str) -> None:
        """Answer one text frame."""
        session = self._sessions.get(number)
        if session is None:
            return
        try:
            said: Any = msgspec.json.decode(text)
            header, asked = said["header"], said.get("body", {}).get("input", {})
            if header.get("tr_id") == "PINGPONG":
                session.unanswered = 0
                return
            tr_id, tr_key = str(asked["tr_id"]), str(asked["tr_key"])
            key, tr_type = str(header["approval_key"]), str(header["tr_type"])
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
            self._control(session, "OPSP9991", "(null)", "")
            return
        code = self._register(session, key, tr_type, (tr_id, tr_key))
        if code == "OPSP8993" and tr_id == NOTICE[self._side]:
            self._hang_up(number)  # so a wrong HTS id shows
        elif code == "OPSP8996":
            self._control(session, code, "(null)", "")
        else:
            self._control(session, code, tr_id, tr_key)

    def publish(self, tr_id: str, tr_key: str, records: list[str]) -> None:
        """Send records of one channel to those who registered for it, up to twenty to a frame."""
        channel = (tr_id, tr_key)
        for session in self._sessions.values():
            if channel in session.registered:
                for first in range(0, len(records), _LARGEST_FRAME):
                    part = records[first : first + _LARGEST_FRAME]
                    self._send_data(session, f"0|{tr_id}|{len(part):03d}|{'^'.join(part)}")

    def notify(self, record: str) -> None:
        """Send one notice, encrypted, to those who registered for the holder's notices."""
        tr_id = NOTICE[self._side]
        for session in self._sessions.values():
            if (tr_id, CREDENTIALS[self._side].hts_id) in session.registered:
                key, iv = session.secrets[tr_id]
                self._out(Frame(session.number, f"1|{tr_id}|001|{encrypted(record, key, iv)}"))

    def wants(self, tr_id: str, tr_key: str) -> bool:
        """True when anybody is registered for a channel."""
        channel = (tr_id, tr_key)
        return any(channel in session.registered for session in self._sessions.values())

    def _register(self, session: Session, approval: str, tr_type: str, channel: tuple[str, str]) -> str:
        app_key = self._access.approved(self._clock.now(), approval)
        if not app_key or self._access.side_of(app_key) != self._side:
            return "OPSP0011"
        if not self._takes_slot(session, app_key):
            return "OPSP8996"
        if tr_type not in {_SUBSCRIBE, _UNSUBSCRIBE}:
            return "OPSP8997"
        if channel[0] not in self._streams:
            return "OPSP8991"
        return self._add(session, channel) if tr_type == _SUBSCRIBE else _remove(session, channel)

    def _add(self, session: Session, channel: tuple[str, str]) -> str:
        if channel in session.registered:
            return "OPSP0002"
        if not self._is_key(*channel):
            return "OPSP8993"
        if len(session.registered) >= MOST:
            return "OPSP0008"
        session.registered[channel] = None
        session.secrets[channel[0]] = (self._letters(32), self._letters(16))
        return "OPSP0000"

    def _takes_slot(self, session: Session, app_key: str) -> bool:
        if self._zombies.get(app_key, 0) > self._clock.now():
            return False
        if any(other.app_key == app_key for other in self._sessions.values() if other is not session):
            return False
        session.app_key = app_key
        return True

    def _is_key(self, tr_id: str, tr_key: str) -> bool:
        if tr_id == NOTICE[self._side]:
            return tr_key == CREDENTIALS[self._side].hts_id
        return tr_key in self._symbols

    def _control(self, session: Session, code: str, tr_id: str, tr_key: str) -> None:
        rt_cd, text = _TEXTS[code]
        body: dict[str, Any] = {"rt_cd": rt_cd, "msg_cd": code, "msg1": text}
        if code in {"OPSP0000", "OPSP0001"} and tr_id in session.secrets:
            key, iv = session.secrets[tr_id]
            body["output"] = {"iv": iv, "key": key}
        header = {"tr_id": tr_id, "tr_key": tr_key, "encrypt": "N"}
        self._out(Frame(session.number, msgspec.json.encode({"header": header, "body": body}).decode()))

    def _send_data(self, session: Session, text: str) -> None:
        if self._faults.hits("frame-missing"):
            return
        if self._faults.hits("bad-utf8"):
            self._out(Frame(session.number, text.encode() + b"\xff"))
        else:
            self._out(Frame(session.number, text))

    def _beat(self, now: int, number: int) -> None:
        session = self._sessions.get(number)
        if session is None:
            return
        if session.unanswered >= self._most_unanswered or self._faults.hits("socket-drop"):
            self._hang_up(number)
            return
        if not self._faults.hits("ping-silence"):
            session.unanswered += 1
            header = {"tr_id": "PINGPONG", "datetime": day_text(now) + hour_text(now)}
            text = msgspec.json.encode({"header": header}).decode()
            self._out(Frame(number, text))
        self._clock.call_at(now + PING_EVERY, lambda due: self._beat(due, number))

    def _hang_up(self, number: int) -> None:
        self.disconnect(number)
        self._out(Hangup(number, clean=False))

    def _letters(self, count: int) -> str:
        return "".join(self._rng.choice(_LETTERS) for _ in range(count))


def _remove(session: Session, channel: tuple[str, str]) -> str:
    if channel not in session.registered:
        return "OPSP0003"
    del session.registered[channel]
    return "OPSP0001"
