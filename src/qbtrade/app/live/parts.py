"""What a live session is built from, and its first row."""

import msgspec

from qbtrade import __version__
from qbtrade.adapters.kis.answer import Answer
from qbtrade.adapters.kis.environment import Environment
from qbtrade.app.kis_account import is_here
from qbtrade.app.live.account import AtBroker
from qbtrade.app.live.first_day import configuration
from qbtrade.app.live.memory import LongMemory
from qbtrade.app.live.opening import Opening
from qbtrade.app.live.plan import LivePlan
from qbtrade.app.live.recording import NoRecording, SessionRecording
from qbtrade.app.price_terms import Told, terms_of
from qbtrade.app.strategies import LoadedStrategy
from qbtrade.domain.calendar import MINUTE, kst_date
from qbtrade.domain.events import Held, SessionStarted
from qbtrade.domain.instrument import Instrument
from qbtrade.domain.limits import RiskLimits
from qbtrade.domain.rules import Rules


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a session is built from. opening: None for a dry run, whose account is made up.

    is_day_over: an earlier session met the limit of the day's loss.
    answers: of people about orders that the session before left.
    is_first_day: of this configuration with real money. memory: what keeps its rows beside the journal.
    recording: what keeps the market data.
    seen: when the broker was asked for what the session begins with, UTC ns, the first and the last time.
    """

    plan: LivePlan
    run_id: str
    rules: Rules
    instruments: tuple[Instrument, ...]
    strategy: LoadedStrategy
    account: str
    at_broker: AtBroker
    opening: Opening
    day_start: int
    entries: int
    is_day_over: bool = False
    is_first_day: bool = False
    answers: tuple[Answer, ...] = ()
    memory: LongMemory = LongMemory()
    recording: SessionRecording = NoRecording()
    seen: tuple[int, ...] = ()


def opening_held(live: Live) -> dict[str, Held]:
    """Shares of this session's symbols that it begins with."""
    prices = live.at_broker.prices
    return {
        symbol: Held(qty, cost, prices[symbol].base, prices[symbol].last)
        for symbol, (qty, cost) in live.opening.held.items() if symbol in prices
    }  # fmt: skip


def told_terms(live: Live, now: int) -> dict[str, Told]:
    """Today's terms as KIS told them, for every symbol that has a base price."""
    prices, day = live.at_broker.prices, kst_date(now)
    return {
        each.symbol: terms_of(live.rules, each, day, prices[each.symbol])
        for each in live.instruments if prices[each.symbol].base
    }  # fmt: skip


def held_elsewhere(live: Live) -> dict[str, Held]:
    """Shares that qb bought in symbols which this session does not trade, at what they cost."""
    return {
        symbol: Held(qty, cost, cost // qty)
        for symbol, (qty, cost) in live.opening.held.items() if symbol not in live.at_broker.prices
    }  # fmt: skip


def started(live: Live, environment: Environment, limits: RiskLimits, now: int, mode: str) -> SessionStarted:
    """The first row of the journal."""
    plan = live.plan.session
    said = {**msgspec.structs.asdict(limits), "daily_loss": limits.loss_limit}
    venue = msgspec.structs.asdict(plan.venue) if live.plan.dry_run else {}
    assumptions: dict[str, int | str] = {**venue, "order_kind": plan.order_kind, "on_exit": live.plan.on_exit.value}
    return SessionStarted(
        ts=now, session_id=live.strategy.session_id(__version__, live.run_id), run_id=live.run_id,
        version=__version__, mode=mode,
        symbols=tuple(instrument.symbol for instrument in live.instruments), strategy=live.strategy.name,
        parameters=live.strategy.shown_params(), seed=plan.seed,
        source=f"KIS {environment.kind}, account {environment.account_tail}", interval=plan.interval or MINUTE,
        cash=live.opening.cash, limits=said, assumptions=assumptions, account=live.account, held=opening_held(live),
        day_start=live.day_start, entries=live.entries, elsewhere=held_elsewhere(live), profit=live.opening.profit,
        foreign=live.opening.foreign, leftovers=live.opening.leftovers, settled=tuple(sorted(live.opening.settled)),
        answered=tuple(sorted(live.opening.answered)),
        day_qty=live.opening.accounted.qty, day_amount=live.opening.accounted.amount,
        day_bought=-1 if live.opening.accounted.bought is None else live.opening.accounted.bought,
        configuration=configuration(plan, live.strategy),
        aside=live.opening.aside, is_day_over=live.is_day_over, jumps=live.opening.jumps,
        is_at_kis=bool(live.account) and not is_here(environment.rest_url),
    )  # fmt: skip
