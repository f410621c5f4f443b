"""What a session holds, risks and reports about itself."""

from enum import StrEnum

import msgspec

from qbtrade.domain.message import Event, EventType
from qbtrade.domain.order import OrderRequest, Purpose, Side

E = EventType


class RiskState(StrEnum):
    """ACTIVE trades; REDUCING only reduces; HALTED sends nothing but cancels and protective sells."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class Level(StrEnum):
    """How loud an alert is."""

    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


class Outcome(StrEnum):
    """How a session ended."""

    DONE = "DONE"
    INTERRUPTED = "INTERRUPTED"
    HALTED = "HALTED"
    FAULT = "FAULT"


class PositionChanged(Event, frozen=True, gc=False, tag=E.POSITION_CHANGED.value):
    """A fill was booked.

    cost: total KRW of the shares held. commission, tax: of this fill. realized: by this fill, gross. order_id: whose
    fill it was. purpose: of that order.
    """

    symbol: str
    qty: int
    cost: int
    realized: int
    commission: int
    tax: int
    cash: int
    order_id: str
    side: Side
    price: int
    fill_qty: int
    purpose: Purpose


class BookCorrected(Event, frozen=True, gc=False, tag=E.BOOK_CORRECTED.value):
    """Our book was brought to what the broker shows, which no fill of ours explains.

    what: slug. symbol: "" for cash alone. ours, theirs: shares or KRW that disagreed; seen: when complete answers said
    so, UTC ns. Then the book as it is from here on: qty, cost of our own shares of the symbol; foreign: shares of it
    that others brought, never sold; cash; aside: KRW in the account that no limit counts before the next day. realized:
    gross profit of own shares that are gone, at the last price. reason: words, where there are any.
    """

    what: str
    symbol: str
    ours: int
    theirs: int
    seen: tuple[int, ...]
    qty: int
    cost: int
    foreign: int
    cash: int
    aside: int
    realized: int = 0
    reason: str = ""


class EquityMarked(Event, frozen=True, gc=False, tag=E.EQUITY_MARKED.value):
    """Cash plus positions at last price, KRW."""

    equity: int
    cash: int
    unrealized: int


class RiskStateChanged(Event, frozen=True, gc=False, tag=E.RISK_STATE_CHANGED.value):
    """Trading was narrowed or widened. symbol: "" for the whole account."""

    symbol: str
    state: RiskState
    reason: str
    limit: int = 0
    value: int = 0


class JournalLost(Event, frozen=True, gc=False, tag=E.JOURNAL_LOST.value):
    """The journal of a live session takes no more rows. reason: words."""

    reason: str


class Alert(Event, frozen=True, gc=False, tag=E.ALERT.value):
    """Something the trader should know. code: slug; action: what to do, or ""."""

    level: Level
    code: str
    text: str
    action: str = ""


class Heartbeat(Event, frozen=True, gc=False, tag=E.HEARTBEAT.value):
    """The session is alive. counts: by name, since its start."""

    counts: dict[str, int] = {}


class Held(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Shares that a session begins with. cost: KRW of all. last: KRW, the close before.

    price: KRW at the session's start, 0 where only the close is known.
    """

    qty: int
    cost: int
    last: int
    price: int = 0


class Jump(msgspec.Struct, frozen=True, gc=False):
    """A stock began a day from another base than its close: a split, a consolidation, rights. KRW; day: ISO date."""

    close: int
    base: int
    day: str


class Leftover(msgspec.Struct, frozen=True):
    """An order of an earlier session that has no known end. number: the broker's, "" while unknown.

    order_id: under which this session looks for it. order: as it was sent, at sent_at. filled, amount: shares and KRW
    that were booked before. after: highest number that the broker was known to have given when it left.
    """

    order_id: str
    order: OrderRequest
    sent_at: int
    number: str = ""
    filled: int = 0
    amount: int = 0
    after: str = ""

    @property
    def remaining(self) -> int:
        """Shares that may still fill."""
        return self.order.qty - self.filled


class SessionStarted(Event, frozen=True, gc=False, omit_defaults=True, tag=E.SESSION_STARTED.value):
    """First row of a journal: everything a report needs to know about how the session was set up.

    account: whose books these are, a digest, "" where no broker keeps them. held: what it begins with, by symbol.
    elsewhere: shares of qb in symbols that it does not trade; foreign: shares of others. leftovers: orders of earlier
    sessions without an end; settled: the broker's numbers of the day's other ones; answered: numbers of the day that
    the broker itself named when it took the order. day_start: equity from which the day's profit counts, 0 for its own
    at the start. entries, profit: of the day before it; profit in KRW, realized less costs; is_day_over: its loss had
    reached the limit. day_qty, day_amount: shares and KRW that the day had filled at the broker and that are accounted
    for, day_bought: the part of that KRW that was paid for buys, -1 where that is not known. configuration: a digest
    of what decides how it trades, "" in a rehearsal. aside: KRW in the account beyond cash, which no limit counts
    before the next day. jumps: by symbol of shares held, what nobody has decided yet. is_at_kis: its orders go to a
    server of KIS's own.
    """

    session_id: str
    run_id: str
    version: str
    mode: str
    symbols: tuple[str, ...]
    strategy: str
    parameters: dict[str, str]
    seed: int
    source: str
    interval: int
    cash: int
    limits: dict[str, int | bool | str]
    assumptions: dict[str, int | str] = {}
    account: str = ""
    held: dict[str, Held] = {}
    day_start: int = 0
    entries: int = 0
    elsewhere: dict[str, Held] = {}
    profit: int = 0
    foreign: dict[str, int] = {}
    leftovers: tuple[Leftover, ...] = ()
    settled: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()
    day_qty: int = -1
    day_amount: int = 0
    configuration: str = ""
    aside: int = 0
    is_day_over: bool = False
    jumps: dict[str, Jump] = {}
    is_at_kis: bool = False
    day_bought: int = -1

    @property
    def worth(self) -> int:
        """Equity at the start: cash, and what is held at the price of that moment."""
        return self.cash + sum(held.qty * (held.price or held.last) for held in self.held.values())


class Terms(msgspec.Struct, frozen=True, gc=False):
    """What trading a symbol takes. tick: KRW at its last price; commission, and tax on sells: ppb of an amount."""

    tick: int
    commission_ppb: int
    tax_ppb: int


class SessionEnded(Event, frozen=True, gc=False, tag=E.SESSION_ENDED.value):
    """Last row of a journal. counts: by name. last: last price by symbol, KRW. timing: what may differ between runs.

    terms: by symbol, for the move that pays for a round trip.
    """

    outcome: Outcome
    reason: str
    counts: dict[str, int]
    last: dict[str, int]
    timing: dict[str, int | float | str]
    terms: dict[str, Terms] = {}
