"""Malformed input without end for every reader of KIS's wire, faster and for longer than a property test.

`python -m tests.adapters.kis.fuzz --inputs 1000000 --seed 1` damages good frames, notices and answers, feeds each to
the reader of its kind and to the whole stream, and stops at the first that does anything but return or raise
WireError, or that yields a number beyond belief; it prints the input that did it.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from random import Random
from typing import Final

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.events import Notice
from qbtrade.adapters.kis.frames import Reader, read_control, read_frame
from qbtrade.adapters.kis.http import HttpReply
from qbtrade.adapters.kis.notices import Seal, read_notices
from qbtrade.adapters.kis.outcomes import Accepted, Unconfirmed, order_outcome
from qbtrade.adapters.kis.parse.envelope import read
from qbtrade.adapters.kis.tape import Tape
from qbtrade.domain.market import Quote, Trade
from qbtrade.errors import WireError
from qbtrade.kernel.clock import Stopwatch
from tests.adapters.kis.captured import CAPTURES
from tests.adapters.kis.desk import an_environment
from tests.adapters.kis.parsers import PARSERS
from tests.adapters.kis.wire import (
    ACCOUNT,
    IV,
    KEY,
    NOTICES,
    QUOTES,
    START,
    TRADES,
    answer,
    book_record,
    frame,
    notice_record,
    open_stream,
    seal,
    sealed_frame,
    trade_frame,
    trade_record,
)
from tests.builders import an_order
from tests.shared_data import ROOT

DAY: Final = "20261120"
BELIEVED: Final = 10**18
RENEWED: Final = 500
"""Texts that one stream hears before it is replaced."""
HTML: Final = b"<html><head><title>500</title></head><body>Internal Server Error</body></html>"
KEY_DESK: Final = frozenset({"grant", "approval"})
STATUSES: Final = (200, 200, 200, 400, 401, 403, 429, 500, 502, 504)
PIECES: Final = (
    b"", b"^", b"|", b"0|", b"1|", b"^^^^", b"-", b"+1", b"1_0", b"1e9", b"\xff", b"\xed\xa0\x80", b"\xc3", b"\x00",
    b"\xe2\x80\xae", b"\xd9\xa3", b"9" * 40, b"null", b"[]", b"{}", b"true", b'"', b"\\", b"\\ud800", b"[" * 50, b"=",
    b"==", b"\r\n", b"240000", b"20261131", b"OPSP0000", b"OPSP0011", b"OPSP8996", b"PINGPONG", b"(null)", b"001",
    b"000", b"999", HTML,
)  # fmt: skip


class Broken(Exception):
    """An input that a reader answered in a way it may not."""


def damaged(rng: Random, data: bytes) -> bytes:
    """The same with bytes lost, changed, doubled, put in or cut off, one to six times."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        place, size = rng.randrange(len(found) + 1), rng.randrange(12)
        match rng.randrange(7):
            case 0:
                del found[place : place + size]
            case 1:
                found[place : place + size] = rng.randbytes(rng.randrange(5))
            case 2:
                found[place:place] = found[place : place + size * 4]
            case 3 | 4:
                found[place : place + rng.randrange(3)] = rng.choice(PIECES)
            case 5:
                del found[place:]
            case _:
                other = rng.randrange(len(found) + 1)
                found[place : place + size], found[other : other + size] = (
                    found[other : other + size], found[place : place + size],
                )  # fmt: skip
    return bytes(found)


def plain_frame(rng: Random) -> str:
    """A frame of one to four records, with some fields, widths or counts wrong from the start."""
    make, tr_id, widest = rng.choice((
        (trade_record, "H0STCNT0", 60), (book_record, "H0STASP0", 80), (notice_record, "H0STCNI0", 40),
    ))  # fmt: skip
    records = list[str]()
    for _ in range(rng.randint(1, 4)):
        over = {rng.randrange(17): rng.choice(PIECES).decode("utf-8", "replace") for _ in range(rng.randrange(3))}
        width = {} if rng.random() < 0.7 else {"width": rng.randrange(widest)}
        records.append(make(over=over, **width))
    count = len(records) if rng.random() < 0.8 else rng.randrange(1100)
    return f"0|{tr_id}|{count:03d}|{'^'.join(records)}"


def sealed(rng: Random) -> str:
    """Notices under the right key, under a wrong one, without base64, or cut."""
    text = plain_frame(rng).split("|", 3)[3] if rng.random() < 0.5 else notice_record()
    match rng.randrange(5):
        case 0:
            key = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=32))
            payload = seal(text, key)
        case 1:
            payload = seal(damaged(rng, text.encode()))
        case 2:
            payload = seal(text)[: rng.randrange(200)]
        case 3:
            payload = rng.choice(("", "=", "%%%", "bm90IG91cnM=", "가나다", seal(text) + "A", seal(text).lower()))
        case _:
            payload = seal(text)
    return f"1|{rng.choice(('H0STCNI0', 'H0STCNI9', 'H0STCNT0'))}|{rng.choice((1, 1, 1, 2, 0, 999)):03d}|{payload}"


def control(rng: Random) -> str:
    """An answer of the server, with whatever code, key and iv."""
    code = rng.choice((0, 0, 1, 2, 3, 7, 8, 9, 10, 11, 8991, 8993, 8996, 8997, 9991))
    channel = rng.choice((TRADES, QUOTES, NOTICES))
    return answer(channel, f"OPSP{code:04d}", rng.choice("0019 "), key=rng.choice((KEY, KEY, "", "가" * 32, "short")))


class Fuzzer:
    """Makes inputs and judges what the readers do with them. seen: how many of each kind."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self.seen: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        bodies = [path.read_bytes() for path in sorted(CAPTURES.glob("*.json"))] + recordings("rest/*.json")
        self._bodies = [(body, readers_of(body)) for body in bodies]
        lines = [line for text in recordings("ws/*") for line in text.splitlines() if line]
        self._texts = [
            trade_frame(trade_record()).encode(), trade_frame(*[trade_record()] * 3).encode(),
            frame("H0STASP0", book_record()).encode(), sealed_frame(notice_record()).encode(),
            sealed_frame(*[notice_record()] * 2).encode(), answer(TRADES).encode(), answer(NOTICES).encode(),
            b'{"header":{"tr_id":"PINGPONG","datetime":"20261120100000"}}', *lines,
        ]  # fmt: skip
        self._environment = an_environment()
        self._call = calls.order(self._environment, an_order())
        self._now, self._left = START, 0

    def run(self, inputs: int) -> None:
        """Feed so many. Raises: Broken."""
        for _ in range(inputs):
            if self._rng.random() < 0.4:
                self._body()
            else:
                self._text()

    # the stream

    def _text(self) -> None:
        kind, data = self._some_text()
        self.seen[kind] += 1
        text = data.decode("utf-8", "replace")  # as the transport does
        self._guard(data, lambda: self._read_text(kind, text))
        self._guard(data, lambda: self._hear(text))

    def _some_text(self) -> tuple[str, bytes]:
        rng = self._rng
        makers: tuple[tuple[str, Callable[[], bytes]], ...] = (
            ("text", lambda: rng.choice(self._texts)),
            ("text", lambda: rng.choice(self._texts)),
            ("frame", lambda: plain_frame(rng).encode()),
            ("notice sealed", lambda: sealed(rng).encode()),
            ("answer", lambda: control(rng).encode()),
            ("noise", lambda: rng.randbytes(rng.randrange(80))),
        )
        kind, make = rng.choice(makers)
        if kind in {"frame", "notice sealed", "answer"} and rng.random() < 0.5:
            return kind, make()  # what is wrong with it was built in
        return f"{kind}, damaged", damaged(rng, make())

    def _read_text(self, kind: str, text: str) -> None:
        with suppress(WireError):
            read_control(text)
            self.accepted[kind] += 1
        with suppress(WireError):
            found = read_frame(text)
            reader = Reader(Tape())
            for parse in (reader.trades, reader.quotes):
                with suppress(WireError):
                    believable(parse(found, DAY))
            with suppress(WireError):
                believable(each for each in read_notices(found, Seal(KEY, IV), START, DAY) if isinstance(each, Notice))
            self.accepted[kind] += 1

    def _hear(self, text: str) -> None:
        if not self._left:
            self._stream, self._left = open_stream(TRADES, QUOTES, NOTICES), RENEWED
        self._left -= 1
        outputs = self._stream.on_text(self._now, text)
        believable(outputs)
        for each in outputs:
            if isinstance(each, Notice) and each.account != ACCOUNT:
                raise Broken("a notice of another account")
        if not self._stream.is_open:
            self._left = 0

    # REST

    def _body(self) -> None:
        rng = self._rng
        kind, data, readers = self._some_body()
        self.seen[kind] += 1
        reply = HttpReply(rng.choice(STATUSES), {"tr_cont": rng.choice("FMDE ")}, data)
        name = rng.choice(readers or tuple(PARSERS))
        self._guard(data, lambda: self._read_body(kind, name, reply))
        self._guard(data, lambda: self._judge_order(reply))

    def _some_body(self) -> tuple[str, bytes, tuple[str, ...]]:
        """What it is, the bytes, and the readers that it was made for; none for any."""
        rng = self._rng
        good, readers = rng.choice(self._bodies)
        if rng.random() < 0.3:
            readers = ()
        match rng.randrange(6):
            case 0:
                return "body cut", good[: rng.randrange(len(good) + 1)], readers
            case 1:
                return "body HTML", damaged(rng, HTML), ()
            case 2:
                noise = (rng.randbytes(rng.randrange(80)), b"", b"[]", b"null", b"{" * 5000)
                return "body noise", rng.choice(noise), ()
            case 3:
                return "body with a wrong value", spoilt(rng, good), readers
            case _:
                return "body damaged", damaged(rng, good), readers

    def _read_body(self, kind: str, name: str, reply: HttpReply) -> None:
        with suppress(WireError):
            page = read(name, reply, ("CTX_AREA_FK100", "CTX_AREA_NK100"), bare=name in KEY_DESK)
            PARSERS[name]([page])
            self.accepted[kind] += 1

    def _judge_order(self, reply: HttpReply) -> None:
        outcome = order_outcome(self._environment, self._call, reply)
        if isinstance(outcome, Accepted) and not outcome.ack.order_no.strip("0"):
            raise Broken("an order accepted without a number")
        if not reply.body.strip() and not isinstance(outcome, Unconfirmed):
            raise Broken("an empty answer proves something")

    @staticmethod
    def _guard(data: bytes, read_it: Callable[[], None]) -> None:
        try:
            read_it()
        except Exception as error:
            raise Broken(f"{type(error).__name__}: {error} for {data!r}") from error


def spoilt(rng: Random, body: bytes) -> bytes:
    """JSON with one value somewhere replaced."""
    message = part = json.loads(body)
    while isinstance(part, dict | list) and part:
        place = rng.choice(list(part)) if isinstance(part, dict) else rng.randrange(len(part))
        inner = part[place]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.9:
            part = inner
            continue
        part[place] = rng.choice(("", " ", "-1", "1.5", "9" * 30, "20261131", "٣", None, True, 7, 1.5, [], {}, "\x00"))
        break
    return json.dumps(message).encode()


def believable(outputs: object) -> None:
    """Raises: Broken for a number that no market has."""
    for each in outputs if isinstance(outputs, Sequence | Iterator) else ():
        numbers: tuple[int, ...] = ()
        if isinstance(each, Trade):
            numbers = (each.price - 1, each.qty - 1)
        elif isinstance(each, Quote):
            numbers = (each.bid, each.bid_qty, each.ask, each.ask_qty)
        elif isinstance(each, Notice):
            numbers = (each.qty, each.price, each.order_qty, int(each.order_no) - 1)
        if any(not 0 <= number < BELIEVED for number in numbers):
            raise Broken(f"{each} is not to be believed")


def readers_of(body: bytes) -> tuple[str, ...]:
    """The parsers that understand a good answer."""
    found = list[str]()
    for name, parse in PARSERS.items():
        with suppress(WireError):
            parse([read(name, HttpReply(200, {}, body), bare=name in KEY_DESK)])
            found.append(name)
    return tuple(found)


def recordings(pattern: str) -> list[bytes]:
    """What KIS sent, where it is at hand."""
    folder = ROOT / "../shared/data/kis_samples"
    return [path.read_bytes() for path in sorted(folder.glob(pattern))]


def main() -> None:
    """Run and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args()
    fuzzer, watch = Fuzzer(said.seed), Stopwatch()
    fuzzer.run(said.inputs)
    for kind, count in sorted(fuzzer.seen.items()):
        sys.stdout.write(f"{kind:<26} {count:>10,}  read: {fuzzer.accepted[kind]:>9,}\n")
    sys.stdout.write(f"{fuzzer.seen.total():,} inputs, seed {said.seed}, {watch.seconds():.0f} s\n")


if __name__ == "__main__":
    main()
