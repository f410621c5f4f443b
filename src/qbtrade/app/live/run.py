"""A live session from plan to report."""

import gc
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import date
from pathlib import Path

from msgspec.structs import replace

from qbtrade.adapters.kis.answer import Answer
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.parse.orders import Sender
from qbtrade.adapters.store.sqlite import SqliteJournal, read_events
from qbtrade.app import report as reports
from qbtrade.app.account_files import account_of
from qbtrade.app.home import create, journals_dir, reports_dir
from qbtrade.app.live import real_money
from qbtrade.app.live.account import AtBroker, ask_account, wait
from qbtrade.app.live.base_price import Jumped, jumps
from qbtrade.app.live.board import AccountFiles
from qbtrade.app.live.brought_up import believed, brought_up, orders_before
from qbtrade.app.live.carried import Carried, Journal, carried, journals
from qbtrade.app.live.first_day import configuration, is_first_day
from qbtrade.app.live.lock import Gate, account_lock, refuse_beside_recorder
from qbtrade.app.live.machine import Machine
from qbtrade.app.live.memory import LongMemory
from qbtrade.app.live.opening import Opening
from qbtrade.app.live.parts import Live
from qbtrade.app.live.plan import LivePlan
from qbtrade.app.live.real_money import Consent
from qbtrade.app.live.recording import NoRecording, SessionRecording, open_recording
from qbtrade.app.live.resolving import answers, honour
from qbtrade.app.live.session import LiveSession
from qbtrade.app.live.shares_told import Told, shares_told
from qbtrade.app.live.views import Views, open_views
from qbtrade.app.live.watchdog import watched
from qbtrade.app.live.winding import is_at_rest
from qbtrade.app.live.wire import Wire
from qbtrade.app.live.world import World
from qbtrade.app.plan import USUAL_SYMBOL
from qbtrade.app.rules import instrument_for, load_rules
from qbtrade.app.session import EXIT, SessionResult, new_run_id
from qbtrade.app.status import Screen
from qbtrade.app.strategies import LoadedStrategy, load_strategy
from qbtrade.domain.calendar import Calendar, TradingDay, iso_kst, kst_date
from qbtrade.domain.events import Outcome
from qbtrade.domain.rules import Rules
from qbtrade.errors import BrokerError, EngineFault, ExitCode, JournalError, LockedError, QbError, UsageError
from qbtrade.kernel.loop import StopRequest
from qbtrade.ports import Clock


def live(
    plan: LivePlan, world: World, home: Path, screen: Screen, stop: StopRequest, consent: Consent | None = None
) -> SessionResult:
    """Trade for one day and write the report. consent: of the trader, for orders with real money.

    Raises: QbError before any order when something is not as it must be; JournalError when the journal cannot be
    written; EngineFault when a handler of ours raised, after the report; KeyboardInterrupt for a stop before
    the session began.
    """
    rules = load_rules()
    strategy = load_strategy(plan.session.strategy, plan.session.params)
    trading_day(rules.calendar, world.clock.now(), plan)
    run_id = new_run_id()
    create(home)
    account = "" if plan.dry_run else account_of(world.environment, run_id if world.is_local else "")
    refuse_beside_recorder(home, world.environment)
    with account_lock(home, world.environment, run_id):
        return trade(plan, rules, strategy, world, home, screen, stop, run_id=run_id, account=account, consent=consent)


def trade(
    plan: LivePlan, rules: Rules, strategy: LoadedStrategy, world: World, home: Path, screen: Screen,
    stop: StopRequest, *, run_id: str, account: str, consent: Consent | None = None,
) -> SessionResult:  # fmt: skip
    """Trade as the owner of an account, as `live` does. account: as journals name it, "" for a dry run."""
    path = Path(plan.session.report) if plan.session.report else reports_dir(home) / f"{run_id}.json"
    reports.check_writable(path)
    day, environment = rules.calendar.trading_day(kst_date(world.clock.now())), world.environment
    ground = Machine(world, home, stop, Gate(home, environment, run_id))
    with (
        closing(_recording(plan, home, environment, run_id, day.day, ground.clock)) as recording,
        Wire(ground, stop) as wire,
        open_views(world.views, home, environment, run_id, ground.inbox, world.clock.twin()) as views,
    ):
        parts = begin(
            plan, wire, rules, strategy, journals(home), account=account, run_id=run_id, consent=consent,
            given=answers(home, environment), told=shares_told(home, environment),
        )  # fmt: skip
        parts = replace(parts, memory=LongMemory(world.views.database), recording=recording)
        watches = plan.watchdog_after and account and not (plan.sells_only or world.is_local)
        watcher = watched(home, environment, run_id, day, plan.watchdog_after) if watches else None
        board = AccountFiles(home, environment, run_id, watcher, views)
        return _run(parts, wire, board, views, home, path, screen, stop)


def _recording(
    plan: LivePlan, home: Path, environment: Environment, run_id: str, day: date, clock: Clock
) -> SessionRecording:
    if not plan.record:
        return NoRecording()
    return open_recording(home, environment, run_id, day, plan.session.symbols or (USUAL_SYMBOL,), clock)


def begin(
    plan: LivePlan, wire: Wire, rules: Rules, strategy: LoadedStrategy, books: Iterable[Journal], *, account: str,
    run_id: str, consent: Consent | None = None, given: Iterable[Answer] = (),
    told: dict[str, Told] | None = None,
) -> Live:  # fmt: skip
    """Ask the broker, read what earlier sessions left, and bring both together. account: "" for a dry run.

    No session begins elsewhere, so here is the gate before real money. given: answers of people about lost orders.
    told: what they said of shares whose base price changed.

    Raises: BrokerError, LockedError, FileError, JournalError, KeyboardInterrupt.
    """
    books = tuple(books)
    real_money.check(wire.environment, plan, consent, books)
    session, day = plan.session, rules.calendar.trading_day(kst_date(wire.clock.now()))
    symbols = session.symbols or (USUAL_SYMBOL,)
    instruments = tuple(instrument_for(rules, each, session.market, session.kind) for each in symbols)
    asked = ask_account(wire, symbols)
    found = carried(books, account, day.day) if account else Carried()
    at_broker = asked()
    used = honour(found, given, at_broker.history.rows)
    earlier = orders_before(wire, found)
    known = jumps(wire, found, rules.calendar, at_broker.prices, plan.base_slack)
    seen, jumped, sender = at_broker.asked, Jumped(known, told or {}), Sender(wire.environment.order_sender)

    def bring() -> Opening:
        return brought_up(plan, rules, instruments, found, at_broker, earlier, day.day, jumped, sender=sender)

    def look_again() -> Opening:
        nonlocal at_broker
        wait(wire)
        at_broker = ask_account(wire, symbols)()
        return bring()

    begun = believed(bring(), look_again)
    at_stake = real_money.is_at_stake(wire.environment.kind, plan) and not plan.sells_only
    is_first = at_stake and is_first_day(books, configuration(session, strategy), day.day)
    return Live(
        plan=plan, run_id=run_id, rules=rules, instruments=instruments, strategy=strategy, account=account,
        at_broker=at_broker, opening=begun, entries=found.entries,
        is_day_over=found.is_day_over, day_start=_day_start(found, begun, at_broker, day),
        is_first_day=is_first, answers=used, seen=tuple(dict.fromkeys((seen, at_broker.asked))),
    )  # fmt: skip


def _run(
    parts: Live,
    wire: Wire,
    board: AccountFiles,
    views: Views,
    home: Path,
    path: Path,
    screen: Screen,
    stop: StopRequest,
) -> SessionResult:
    journal = journals_dir(home) / f"{parts.run_id}.sqlite3"
    store = SqliteJournal(journal, is_live=True)
    try:
        parts.memory.begin(journal)
        session = LiveSession(parts, wire, store, board, screen, stop)
        views.follow(wire.bus)
        gc.freeze()
        outcome = session.run()
        if is_at_rest(session):
            board.farewell()
    except (BrokerError, KeyboardInterrupt):
        store.close()
        if next(read_events(journal), None) is None:  # it was given up before it began: there is nothing to keep
            journal.unlink()
        raise
    finally:
        gc.unfreeze()
        store.close()
        parts.memory.end()
    if session.engines.journal.trouble:
        raise _incomplete(session, journal, path)
    report = reports.made_from(journal)
    reports.write(report, path)
    fault = session.fault
    if isinstance(fault, BrokerError):
        raise BrokerError(
            "{cause}; the session was ended, its report is {path}", hint=fault.hint, cause=fault.message, path=path
        ) from fault
    if fault is not None:
        raise EngineFault(f"{type(fault).__name__}: {fault}; the session was ended, its report is {path}") from fault
    is_known = session.books.is_compared and (outcome is not Outcome.DONE or is_at_rest(session))
    code = EXIT[outcome] if is_known else ExitCode.BROKER
    return SessionResult(report, path, parts.run_id, outcome, ExitCode.BOOKS_DISAGREE if session.books.found else code)


def _incomplete(session: LiveSession, journal: Path, path: Path) -> JournalError:
    """What to say of a session whose journal lacks rows; the report is written where that can be done."""
    with suppress(QbError):
        reports.write(reports.made_from(journal), path)
    positions = session.engines.portfolio.account.positions
    held = ", ".join(f"{symbol} {position.qty:,}" for symbol, position in positions.items() if position.qty)
    return JournalError(
        "the journal of this session is incomplete: {cause}; shares held: {held}",
        hint="Free space or mend the disk, compare with the KIS app, then start qb again",
        cause=session.engines.journal.trouble, held=held or "-",
    )  # fmt: skip


def trading_day(calendar: Calendar, now: int, plan: LivePlan) -> TradingDay:
    """Today's hours. Raises: LockedError when there is no market any more today, UsageError for an end before it."""
    today = kst_date(now)
    why = calendar.why_closed(today)
    if why:
        following = calendar.next_day(today)
        raise LockedError(
            "no trading on {day}: {why}", hint="The next day is {next}", day=today, why=why, next=following
        )
    day = calendar.trading_day(today)
    end = plan.until.ts(day)
    if end <= day.open:
        raise UsageError(
            "--until: {end} is not after the open at {open}", hint="The market closes at {close}", end=_clock(end),
            open=_clock(day.open), close=_clock(day.close),
        )  # fmt: skip
    if day.close > now >= end:
        raise LockedError(
            "--until: it is past {end}", hint="The market closes at {close}; give a later time or none",
            end=_clock(end), close=_clock(day.close),
        )  # fmt: skip
    if now >= end:
        raise LockedError(
            "the session of {day} ended at {end}", hint="The next trading day is {next}", day=today,
            end=_clock(end), next=calendar.next_day(today),
        )  # fmt: skip
    return day


def _clock(ts: int) -> str:
    return iso_kst(ts)[11:16]


def _day_start(found: Carried, begun: Opening, at_broker: AtBroker, day: TradingDay) -> int:
    """The equity from which the day's profit counts: with shares at the close before, without what today brought.

    Shares in symbols that the session does not trade are no part of it.
    """
    prices = at_broker.prices
    held = {symbol: lot for symbol, lot in begun.held.items() if symbol in prices}
    if found.since == day.day:
        cost = sum(cost for _, cost in held.values())
        return begun.cash + cost - begun.profit + sum(found.began.get(symbol, 0) for symbol in prices)
    return begun.cash + sum(qty * prices[symbol].base for symbol, (qty, _) in held.items())
