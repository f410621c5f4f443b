"""Lets other processes watch a session: a thread of its own writes to Redis whatever the kernel hands over.

The kernel only appends to a bounded queue. What Redis does not take in time is dropped, oldest first, and counted: the
journal has it.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from qbtrade.adapters.redis import names
from qbtrade.adapters.redis.client import cause, connect
from qbtrade.adapters.redis.commands import Commands
from qbtrade.adapters.redis.reading import entries_of
from qbtrade.adapters.redis.wire import packed, tell
from qbtrade.domain.events import Alert, Heartbeat, Level, PriceTouched, type_of
from qbtrade.domain.market import Quote, Trade
from qbtrade.domain.message import Event
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import Stopwatch, wall_ns
from qbtrade.kernel.loop import Inbox
from qbtrade.ports import Clock

BEAT: Final = 0.1
"""Seconds between two rounds; what comes in between goes out together."""
VIEWS: Final = 0.5
"""Seconds until last prices are written anew, and until somebody who asks for a halt is heard."""
TOGETHER: Final = 25
"""Commands in one message. Making them takes the interpreter from the engines, waiting for the answer does not."""
RENEWED: Final = 300.0
"""Seconds after which a price's time to live is set anew."""
BOUND: Final = 50_000
"""Events that wait for Redis at most."""
PATIENCE: Final = 2.0
"""Seconds that one answer may take."""
LONGEST_PAUSE: Final = 5.0
TOLD: Final = tuple(cls for cls in type_of.values() if cls not in {Trade, Quote, PriceTouched, Heartbeat})
"""Events of consequence and bars; of prices only the last of each symbol is told."""

_ADD: Final = (b"XADD", names.EVENTS.encode(), b"MAXLEN", b"~", b"%d" % names.KEPT, b"*")
_encode: Final = msgspec.json.Encoder().encode


class Bridge:
    """Follows one run. account: as files name it. on_halt: what a halt that was asked for over Redis does."""

    def __init__(
        self, url: str, run: str, commands: Commands, inbox: Inbox, clock: Clock, on_halt: Callable[[str], None]
    ) -> None:
        self._run, self._commands, self._inbox, self._clock, self._on_halt = run, commands, inbox, clock, on_halt
        self._client = connect(url, timeout=PATIENCE)
        self._waiting = deque[tuple[int, Event]](maxlen=BOUND)
        self._batch = list[tuple[int, Event]]()
        self._trades = dict[str, Trade]()
        self._quotes = dict[str, Quote]()
        self._status: tuple[str, dict[str, str]] | None = None
        self._watch = Stopwatch()
        self._viewed = -VIEWS
        self._renewed = dict[str, float]()
        self._numbered = 0
        self._heard = ""
        self._trouble = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="qb-redis", daemon=True)

    # on the kernel's thread

    def follow(self, bus: Bus) -> None:
        """Begin. Subscribe after every engine: they come first."""
        bus.subscribe_all(TOLD, self._on_event)
        bus.subscribe(Trade, self._on_trade)
        bus.subscribe(Quote, self._on_quote)
        self._thread.start()

    def show(self, account: str, picture: dict[str, str]) -> None:
        """The newest picture of the session, in a few fields; the heartbeat of the engines goes with it."""
        self._status = account, picture

    def close(self) -> None:
        """Write what still waits, as far as Redis takes it in time, and end the thread."""
        if self._thread.ident is not None:
            self._over.set()
            self._thread.join(3 * PATIENCE)

    def _on_event(self, event: Event) -> None:
        self._numbered += 1
        self._waiting.append((self._numbered, event))

    def _on_trade(self, trade: Trade) -> None:
        self._trades[trade.symbol] = trade

    def _on_quote(self, quote: Quote) -> None:
        self._quotes[quote.symbol] = quote

    # on a thread of its own

    def _work(self) -> None:
        pause = BEAT
        while True:
            over = self._over.wait(pause)
            try:
                self._round(is_last=over)
                pause = BEAT
                self._recovered()
            except Exception as error:  # noqa: BLE001 - a view may fail in any way, and the session goes on
                self._failed(cause(error))
                pause = min(max(pause, BEAT) * 2, LONGEST_PAUSE)
                over = self._over.is_set()
            if over:
                self._client.close()
                return

    def _round(self, *, is_last: bool) -> None:
        """Everything that is new. What failed goes again, so it may come twice."""
        while self._waiting or self._batch:
            self._write_events()
        if is_last or self._watch.seconds() - self._viewed >= VIEWS:
            self._viewed = self._watch.seconds()
            self._write_prices()
            self._write_status()
            self._listen()

    def _write_events(self) -> None:
        while self._waiting and len(self._batch) < TOGETHER:
            self._batch.append(self._waiting.popleft())
        tell(self._client, [self._entry(number, event) for number, event in self._batch])
        self._batch.clear()

    def _entry(self, number: int, event: Event) -> bytes:
        tag = str(event.__struct_config__.tag)
        return packed(
            *_ADD, b"run", self._run.encode(), b"n", b"%d" % number, b"ts", b"%d" % event.ts, b"type", tag.encode(),
            b"body", _encode(event),
        )  # fmt: skip

    def _write_prices(self) -> None:
        symbols = list(dict.fromkeys((*self._trades, *self._quotes)))
        for start in range(0, len(symbols), TOGETHER):
            tell(self._client, [each for symbol in symbols[start : start + TOGETHER] for each in self._last(symbol)])

    def _last(self, symbol: str) -> Iterator[bytes]:
        trade, quote, now = self._trades.pop(symbol, None), self._quotes.pop(symbol, None), self._watch.seconds()
        key = names.last_of(symbol).encode()
        last = (b"price", b"%d" % trade.price, b"qty", b"%d" % trade.qty, b"ts", b"%d" % trade.ts) if trade else ()
        best = (b"bid", b"%d" % quote.bid, b"ask", b"%d" % quote.ask) if quote else ()
        yield packed(b"HSET", key, *last, *best)
        if now - self._renewed.get(symbol, -RENEWED) >= RENEWED:
            self._renewed[symbol] = now
            yield packed(b"EXPIRE", key, b"%d" % names.LAST_LASTS)

    def _write_status(self) -> None:
        status, self._status = self._status, None
        if status is None:
            return
        account, picture = status
        pipe: Any
        with self._client.pipeline(transaction=False) as pipe:
            pipe.hset(names.status_of(account), mapping=picture)
            pipe.expire(names.status_of(account), names.STATUS_LASTS)
            pipe.set(names.heartbeat_of(self._run), picture["written"], ex=names.HEARTBEAT_LASTS)
            pipe.execute()

    def _listen(self) -> None:
        """Heed what was asked for since the last round."""
        if not self._heard:
            newest: Any = self._client.xrevrange(names.COMMANDS, count=1)
            self._heard = newest[0][0] if newest else "0-0"
            return
        found: Any = self._client.xread({names.COMMANDS: self._heard}, count=100)
        for number, fields in entries_of(found):
            self._heard = number
            self._heed(fields)

    def _heed(self, fields: dict[str, str]) -> None:
        if not self._commands.is_ours(fields):
            return
        now = wall_ns()
        why = self._commands.objection(fields, now)
        if why:
            text = f"a command over Redis is not obeyed: {why}"
            self.alarm("command-refused", text, "see who may write to Redis")
        else:
            self._on_halt(self._commands.obey(fields, now))

    def _failed(self, trouble: str) -> None:
        if not self._trouble:
            text = f"Redis is away ({trouble}): what others watch stands still, trading goes on"
            self.alarm("views-lost", text, "see to the Redis of QB_REDIS_URL")
        self._trouble = trouble
        self._renewed.clear()

    def _recovered(self) -> None:
        if self._trouble:
            self._trouble = ""
            self.alarm("views-back", "Redis is back: others can watch again", "", Level.INFO)

    def alarm(self, code: str, text: str, action: str, level: Level = Level.WARNING) -> None:
        """Tell the session, on its own thread."""
        self._inbox.put(Alert(self._clock.now(), level, code, text, action))
