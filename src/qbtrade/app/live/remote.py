"""Halting an account from outside its session: the flag, and cancels through a connection of our own."""

from pathlib import Path
from random import Random
from typing import Final

import msgspec

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.auth import Auth
from qbtrade.adapters.kis.call import Call, Priority
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.limiter import Limiter
from qbtrade.adapters.kis.outcomes import Accepted, Failed, OrderOutcome, Refused
from qbtrade.adapters.kis.parse.orders import OrderAck, OrderRow
from qbtrade.adapters.kis.rest import Rest
from qbtrade.adapters.kis.shared_state import GrantFile, TokenFile
from qbtrade.adapters.kis.transport import HttpWorkers
from qbtrade.app.account_files import Halt, halt_path, read_halt, write_private
from qbtrade.app.home import kis_dir
from qbtrade.app.live.world import clock_of
from qbtrade.domain.calendar import kst_date
from qbtrade.errors import BrokerError, FileError, UsageError
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import wall_ns
from qbtrade.kernel.loop import Inbox, LiveLoop, StopRequest

PATIENCE: Final = 20.0


class Canceled(msgspec.Struct, frozen=True):
    """One order that worked when an account was halted. done: the broker took the cancel."""

    order_no: str
    symbol: str
    side: str
    qty: int
    price: int
    done: bool
    reason: str


def halt(home: Path, environment: Environment, reason: str, *, flatten: bool) -> None:
    """Set the flag, which stays until somebody resumes. Raises: FileError."""
    write_private(halt_path(home, environment), Halt(wall_ns(), reason, flatten))


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


def cancel_everything(home: Path, environment: Environment) -> tuple[Canceled, ...]:
    """Cancel every order that works on the account, whoever sent it. Raises: BrokerError."""
    clock, bus, inbox, stop = clock_of(environment), Bus(), Inbox(), StopRequest()
    workers = HttpWorkers(inbox, clock.twin(), readers=1, senders=1)
    auth = Auth(environment, TokenFile(kis_dir(home), environment))
    limiter = Limiter(environment.limits, GrantFile(kis_dir(home), environment))
    caller = Caller(bus, clock, Rest(environment, auth, limiter, Random(environment.key_id)), workers)
    loop = LiveLoop(bus, clock, inbox, stop)

    def wait(call: Call[object], found: list[object]) -> object:
        caller.ask(call, found.append)
        if not loop.run_until(lambda: bool(found), PATIENCE):
            raise BrokerError("KIS does not answer {call}", call=call.name, hint="Cancel in the KIS app")
        return found[0]

    try:
        today = kst_date(clock.now())
        history = wait(calls.order_history(environment, today, today, priority=Priority.CANCEL), [])  # type: ignore[arg-type]
        if isinstance(history, Failed):
            raise BrokerError(
                "KIS does not name its orders: {cause}", cause=history.reason, hint="Cancel in the KIS app"
            )
        rows: tuple[OrderRow, ...] = history.rows  # type: ignore[attr-defined]
        working = [row for row in rows if row.open_qty]
        return tuple(_canceled(row, wait(_cancel(environment, row), [])) for row in working)  # type: ignore[arg-type]
    finally:
        workers.close()


def _cancel(environment: Environment, row: OrderRow) -> Call[OrderAck]:
    return calls.cancel(environment, row.branch, row.order_no, row.code)


def _canceled(row: OrderRow, outcome: object) -> Canceled:
    answer: OrderOutcome = outcome  # type: ignore[assignment]
    reason = "" if isinstance(answer, Accepted) else answer.reason
    if isinstance(answer, Refused):
        reason = f"{answer.reason} ({answer.code})"
    done = isinstance(answer, Accepted)
    return Canceled(row.order_no, row.symbol, row.side.value, row.open_qty, row.price, done, reason)
