"""Halting an account from outside its session: the flag, and cancels through a connection of our own."""

from collections.abc import Collection, Iterable
from functools import partial
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self

import msgspec

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.auth import Auth
from qbtrade.adapters.kis.call import Priority
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.calls import CODES
from qbtrade.adapters.kis.cancels import NOTHING_LEFT
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.limiter import Limiter
from qbtrade.adapters.kis.outcomes import Accepted, Failed, OrderOutcome, Refused
from qbtrade.adapters.kis.parse.orders import OrderHistory, OrderRow
from qbtrade.adapters.kis.rest import Rest
from qbtrade.adapters.kis.shared_state import GrantFile, TokenFile
from qbtrade.adapters.kis.transport import HttpWorkers
from qbtrade.app.account_files import Halt, halt_path, read_halt, write_private
from qbtrade.app.home import kis_dir
from qbtrade.app.live.carried import left_open
from qbtrade.app.live.world import clock_of
from qbtrade.domain.calendar import kst_date
from qbtrade.errors import BrokerError, FileError, UsageError
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import wall_ns
from qbtrade.kernel.loop import Inbox, LiveLoop, StopRequest

PATIENCE: Final = 20.0


class Working(msgspec.Struct, frozen=True):
    """An order to cancel. branch: "" where only the number is known. code: its kind."""

    order_no: str
    branch: str
    code: str
    symbol: str
    side: str
    qty: int


class Canceled(msgspec.Struct, frozen=True):
    """One order that worked when an account was halted. qty: shares. done: the broker took the cancel."""

    order_no: str
    symbol: str
    side: str
    qty: int
    done: bool
    reason: str


def halt(home: Path, environment: Environment, reason: str, *, flatten: bool) -> Halt:
    """Set the flag, which stays until somebody resumes. Raises: FileError."""
    flag = Halt(wall_ns(), reason, flatten)
    write_private(halt_path(home, environment), flag)
    return flag


def resume(home: Path, environment: Environment, reason: str) -> Halt:
    """Take the flag away, and keep why. Raises: UsageError when it is not set."""
    flag = read_halt(home, environment)
    if flag is None:
        raise UsageError("trading is not halted", hint="See `qb status`")
    path = halt_path(home, environment)
    try:
        line = msgspec.json.encode({"resumed": wall_ns(), "halted": flag.since, "because": flag.reason, "why": reason})
        with path.with_name("resumed.jsonl").open("ab") as log:
            log.write(line + b"\n")
        path.unlink()
    except OSError as error:
        raise FileError("cannot write {path}: {cause}", path=path, cause=error.strerror or error) from error
    return flag


def cancel_everything(home: Path, environment: Environment, run_id: str) -> tuple[Canceled, ...]:
    """Cancel every order that works on the account, whoever sent it. Raises: BrokerError.

    run_id: of the last session, whose journal names its orders where the broker does not.
    """
    with _Desk(home, environment) as desk:
        history = desk.history()
        working = _of_rows(history.rows) or _of_journal(home, environment, run_id)
        outcomes = desk.cancel(working)
        refused = [order for order in working if isinstance(outcomes.get(order), Refused)]
        left = {order.order_no for order in refused}
        if refused and environment.capabilities.order_rows:  # it may have filled, or its session was quicker
            left &= {order.order_no for order in _of_rows(desk.history().rows)}
        return (
            *(_canceled(order, outcomes.get(order), left) for order in working),
            *(Canceled(row.order_no or "?", "?", "?", 0, False, row.problem) for row in history.unread),  # noqa: FBT003
        )


class _Desk:
    """A connection to KIS of our own. Use it with `with`."""

    def __init__(self, home: Path, environment: Environment) -> None:
        self._environment, self._clock = environment, clock_of(environment)
        bus, inbox = Bus(), Inbox()
        self._workers = HttpWorkers(inbox, self._clock.twin(), readers=1, senders=1)
        auth = Auth(environment, TokenFile(kis_dir(home), environment))
        limiter = Limiter(environment.limits, GrantFile(kis_dir(home), environment))
        rest = Rest(environment, auth, limiter, Random(environment.key_id), speed=self._clock.speed)
        self._caller = Caller(bus, self._clock, rest, self._workers)
        self._loop = LiveLoop(bus, self._clock, inbox, StopRequest())

    def history(self) -> OrderHistory:
        """The day's orders; an empty one only where the environment tells no rows. Raises: BrokerError."""
        found, today = list[OrderHistory | Failed](), kst_date(self._clock.now())
        call = calls.order_history(self._environment, today, today, priority=Priority.CANCEL)
        self._caller.ask(call, found.append)
        self._loop.run_until(lambda: bool(found), PATIENCE)
        answer = found[0] if found else Failed("no answer in time")
        tells_rows = self._environment.capabilities.order_rows
        if isinstance(answer, Failed):
            if tells_rows:
                raise BrokerError(
                    "KIS does not name its orders: {cause}", cause=answer.reason, hint="Cancel in the KIS app"
                )
            return OrderHistory((), 0, 0, 0)
        if answer.lacks_rows and tells_rows:
            raise BrokerError("KIS tells of orders and names none of them", hint="Cancel in the KIS app")
        return answer

    def cancel(self, working: Iterable[Working]) -> dict[Working, OrderOutcome]:
        """Ask for all cancels at once; what came of each that was answered in time."""
        wanted, outcomes = tuple(working), dict[Working, OrderOutcome]()
        for order in wanted:
            call = calls.cancel(self._environment, order.branch, order.order_no, order.code)
            self._caller.order(call, partial(outcomes.__setitem__, order))
        self._loop.run_until(lambda: len(outcomes) == len(wanted), PATIENCE)
        return outcomes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._workers.close()


def _of_rows(rows: Iterable[OrderRow]) -> tuple[Working, ...]:
    return tuple(
        Working(row.order_no, row.branch, row.code, row.symbol, row.side.value, row.open_qty)
        for row in rows if row.open_qty
    )  # fmt: skip


def _of_journal(home: Path, environment: Environment, run_id: str) -> tuple[Working, ...]:
    """Where the broker tells no rows, what our own journal knows."""
    if environment.capabilities.order_rows:
        return ()
    return tuple(
        Working(
            left.number, "", CODES[left.order.kind, left.order.tif], left.order.symbol, left.order.side.value,
            left.remaining,
        )
        for left in left_open(home, run_id) if left.number
    )  # fmt: skip


def _canceled(order: Working, outcome: OrderOutcome | None, left: Collection[str]) -> Canceled:
    """left: numbers of refused cancels whose orders still work, as far as is known."""
    is_gone = isinstance(outcome, Refused) and (order.order_no not in left or outcome.code in NOTHING_LEFT)
    done = isinstance(outcome, Accepted) or is_gone
    reason = "" if done else outcome.reason if outcome and not isinstance(outcome, Accepted) else "no answer in time"
    return Canceled(order.order_no, order.symbol, order.side, order.qty, done, reason)
