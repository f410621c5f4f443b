import fcntl
from pathlib import Path

import msgspec

from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.adapters.kis.environment import Environment, EnvKind
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.app.account_files import Running, account_of, lock_path, write_private
from qbtrade.app.config import load_settings
from qbtrade.app.halt_flag import Halt, halt_path
from qbtrade.app.home import create, journals_dir
from qbtrade.app.kis_account import environment_of
from qbtrade.app.preflight import Status
from qbtrade.domain.events import Held, OrderApproved, OrderSending, SessionStarted, SubmitOrder
from qbtrade.domain.message import Event
from qbtrade.engines.reconcile import Difference
from tests.app.preflight.stand import Lies, emulator, lied, lying_kis, row, rows
from tests.builders import an_order

CHECKS = ("halt-flag", "instance", "open-orders", "unconfirmed", "positions")
HELD = {"pdno": "000660", "hldg_qty": "7", "ord_psbl_qty": "7", "pchs_amt": "1400000", "prpr": "200000"}


def environment(folder: Path, variables: dict[str, str]) -> Environment:
    return environment_of(load_settings(folder, variables), EnvKind.EMULATOR)


def test_an_account_that_nobody_touched_has_nothing_but_good_rows(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        found = rows(tmp_path, variables, *CHECKS)

    assert {name: each.seen for name, each in found.items() if each.status is not Status.OK} == {}


def test_a_halt_flag_is_warned_of_also_when_it_cannot_be_read(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        path = halt_path(tmp_path / "home", environment(tmp_path, variables))
        write_private(path, Halt(1_795_000_000 * 10**9, "the router died"))
        found = row(tmp_path, variables, "halt-flag")
        path.write_bytes(b"\xff")
        damaged = row(tmp_path, variables, "halt-flag")

    assert found.status is Status.WARN
    assert ": the router died; " in found.seen
    assert damaged.status is Status.WARN


def test_another_session_is_named(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        path = lock_path(tmp_path / "home", environment(tmp_path, variables))
        path.parent.mkdir(parents=True)
        with path.open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(msgspec.json.encode(Running(4711, "20261102-085000-000000", 0)))
            file.flush()
            busy = row(tmp_path, variables, "instance")
        free = row(tmp_path, variables, "instance")

    assert (busy.status, busy.seen) == (Status.FAIL, "session 20261102-085000-000000 runs (process 4711)")
    assert free.status is Status.OK


def write_journal(folder: Path, events: list[Event]) -> None:
    create(folder / "home")
    store = SqliteJournal(journals_dir(folder / "home") / "20261102-085000-000000.sqlite3")
    store.append(events, durable=True)
    store.close()


def started(account: str) -> SessionStarted:
    return SessionStarted(
        ts=1, session_id="s", run_id="r", version="1", mode="emulator", account=account,
        symbols=("005930",), strategy="sma_cross",
        parameters={}, seed=0, source="", interval=60 * 10**9, cash=0, limits={},
    )  # fmt: skip


def left_behind(folder: Path, account: str) -> None:
    order = an_order()
    write_journal(
        folder, [started(account), SubmitOrder(2, order), OrderApproved(2, order, ()), OrderSending(3, order)]
    )


def test_an_intent_without_an_answer_is_warned_of(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        left_behind(tmp_path, account_of(environment(tmp_path, variables)))
        found = row(tmp_path, variables, "unconfirmed")

    assert found.status is Status.WARN
    assert found.seen == "1 orders of the last session have no known end: Q1"


def test_journals_of_others_say_nothing_of_the_account(tmp_path: Path) -> None:
    left_behind(tmp_path, "paper-0123456789abcdef")
    with emulator() as (_server, variables):
        assert row(tmp_path, variables, "unconfirmed").status is Status.OK


def test_shares_that_the_broker_does_not_have_fail(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        begun = started(account_of(environment(tmp_path, variables)))
        write_journal(tmp_path, [msgspec.structs.replace(begun, held={"005930": Held(3, 225_000, 75_000)})])
        found = row(tmp_path, variables, "positions")

    assert (found.status, found.seen) == (Status.FAIL, "qb holds more than the broker says: 005930")
    assert found.table == (Difference("shares", "005930", 3, 0),)


def test_paper_that_tells_totals_and_no_rows_is_warned_of(tmp_path: Path) -> None:
    lies = Lies({"inquire-daily-ccld": {"tot_ord_qty": "3"}})
    assert lied(tmp_path, "open-orders", lies, EmulatorPlan(side="paper")).status is Status.WARN


def test_shares_that_qb_did_not_buy_are_named(tmp_path: Path) -> None:
    lies = Lies(whole={"inquire-balance": {"output1": [HELD]}})
    with lying_kis(lies) as variables:
        found = row(tmp_path, variables, "positions")

    assert (found.status, found.seen) == (Status.WARN, "not opened by qb: 000660 +7")
