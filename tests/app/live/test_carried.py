import subprocess
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from qbtrade.adapters.store.sqlite import SqliteJournal, read_events
from qbtrade.app.home import create, journals_dir
from qbtrade.app.live.carried import Carried, carried, journals
from qbtrade.domain import events as ev
from qbtrade.domain.message import Event
from qbtrade.domain.order import Purpose, Side
from qbtrade.errors import QbError
from tests.builders import SAMSUNG, TODAY, an_order, at


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create(tmp_path)
    return journals_dir(tmp_path)


def test_a_journal_that_cannot_be_read_is_never_left_out(tmp_path: Path, folder: Path) -> None:
    SqliteJournal(folder / "20261102-080000-000000.sqlite3").close()
    damaged = folder / "20261102-090000-000000.sqlite3"
    damaged.write_bytes(b"no database at all")

    with pytest.raises(QbError, match=damaged.name):
        carried(journals(tmp_path), "account", TODAY)


def test_a_session_killed_before_its_first_row_left_nothing(tmp_path: Path, folder: Path) -> None:
    SqliteJournal(folder / "20261102-080000-000000.sqlite3").close()
    (folder / "20261102-090000-000000.sqlite3").touch()

    assert carried(journals(tmp_path), "account", TODAY) == Carried()


def test_a_session_killed_while_it_made_its_journal_left_nothing(tmp_path: Path, folder: Path) -> None:
    path = folder / "20261102-090000-000000.sqlite3"
    make = (
        "import os, sqlite3, sys; made = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "made.executescript('PRAGMA cache_size = 1; BEGIN; CREATE TABLE filler (body)');"
        "[made.execute('INSERT INTO filler VALUES (zeroblob(50000))') for _ in range(9)];"
        "os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", make, str(path)], check=False)
    assert path.stat().st_size > 0  # pages that no commit followed
    with pytest.raises(QbError):
        next(read_events(path), None)

    assert carried(journals(tmp_path), "account", TODAY) == Carried()


def started(**fields: Any) -> ev.SessionStarted:
    return ev.SessionStarted(
        ts=at("10:00"), session_id="s", run_id="r", version="0", mode="paper", symbols=(SAMSUNG,), strategy="x",
        parameters={}, seed=0, source="", interval=1, limits={}, account="account",
        **{"cash": 1_000_000, "day_start": 1_000_000, **fields},
    )  # fmt: skip


def read(*rows: Event, older: tuple[Event, ...] = ()) -> Carried:
    books = (partial(iter, each) for each in (rows, older))
    return carried(books, "account", TODAY)


def a_fill(qty: int) -> ev.OrderFilled:
    return ev.OrderFilled(at("10:01"), "Q1", SAMSUNG, Side.BUY, 75_000, qty)


def changed(symbol: str, qty: int, cost: int, cash: int, realized: int = 0, order_id: str = "Q1") -> ev.PositionChanged:
    return ev.PositionChanged(
        at("10:01"), symbol, qty, cost, realized, 10, 0, cash, order_id, Side.BUY, 75_000, qty, Purpose.ENTRY
    )


def test_the_days_loss_ends_the_day_for_every_session_that_follows() -> None:
    lost = ev.Alert(at("10:02"), ev.Level.CRITICAL, "daily-loss", "the loss", "")
    assert read(started(), lost).is_day_over
    assert read(started(is_day_over=True)).is_day_over
    assert not read(started()).is_day_over
    assert not carried((partial(iter, (started(is_day_over=True), lost)),), "account", TODAY + timedelta(1)).is_day_over


LEFT = ev.Leftover("L000001", an_order("Q7", qty=5), at("09:30"), "", 2, 150_000)


def test_what_a_session_began_with_and_did_not_touch_is_left_as_it_was() -> None:
    held = {"000660": ev.Held(3, 300_000, 100_000)}
    found = read(started(held=held, leftovers=(LEFT,), entries=4, foreign={"035720": 9}))
    assert (found.positions, found.leftovers) == ({"000660": (3, 300_000)}, [LEFT])
    assert (found.entries, found.foreign) == (4, {"035720": 9})


def test_a_leftover_keeps_its_looks_and_the_time_at_which_it_was_sent_over_any_number_of_starts() -> None:
    adopted = an_order("L000001", qty=3)
    found = read(
        started(leftovers=(LEFT,)), ev.OrderSending(at("10:00"), adopted),
        ev.OrderAccepted(at("10:01"), "L000001", "77"),
        ev.OrderFilled(at("10:02"), "L000001", SAMSUNG, Side.BUY, 75_000, 1),
        changed(SAMSUNG, 1, 75_000, 924_990, order_id="L000001"),
    )  # fmt: skip
    assert found.leftovers == [ev.Leftover("L000001", LEFT.order, LEFT.sent_at, "77", 3, 225_000)]
    assert found.entries == 0


def test_a_fill_whose_booking_was_not_written_any_more_is_left_to_what_the_broker_tells() -> None:
    rows = (
        started(day_qty=0), ev.OrderSending(at("10:00"), an_order("Q1", qty=3)),
        ev.OrderAccepted(at("10:00"), "Q1", "5"), a_fill(1), changed(SAMSUNG, 1, 75_000, 924_990), a_fill(1), a_fill(1),
    )  # fmt: skip
    (left,) = read(*rows).leftovers
    assert (left.filled, left.amount, read(*rows).day_qty, read(*rows).day_amount) == (1, 75_000, 1, 75_000)
    assert read(*rows, changed(SAMSUNG, 2, 150_000, 849_980)).leftovers[0].filled == 2
    assert read(*rows, *(changed(SAMSUNG, 3, 225_000, 774_970),) * 2).leftovers == []


def test_what_the_day_bought_is_known_until_others_trade() -> None:
    sold = ev.OrderFilled(at("10:02"), "Q2", SAMSUNG, Side.SELL, 76_000, 1)
    elsewhere = ev.Alert(at("10:03"), ev.Level.WARNING, "traded-elsewhere", "3 shares", "")
    rows = (
        *(ev.OrderSending(at("10:00"), an_order(order_id, qty=1)) for order_id in ("Q1", "Q2")),
        a_fill(1), changed(SAMSUNG, 1, 75_000, 924_990), sold, changed(SAMSUNG, 0, 0, 1_000_970, order_id="Q2"),
    )  # fmt: skip
    assert read(started(day_bought=300_000), *rows).day_bought == 375_000
    assert read(started(day_bought=300_000), elsewhere, *rows).day_bought == -1
    assert read(started(), *rows).day_bought == -1


def test_an_order_that_ended_is_looked_at_again_when_the_booking_of_a_fill_was_not_written_any_more() -> None:
    rows = (
        started(), ev.OrderSending(at("10:00"), an_order("Q1", qty=2)), ev.OrderAccepted(at("10:00"), "Q1", "5"),
        a_fill(1), ev.OrderCanceled(at("10:01"), "Q1", 1, "asked"),
    )  # fmt: skip
    assert [(left.number, left.filled) for left in read(*rows).leftovers] == [("5", 0)]
    assert read(*rows, changed(SAMSUNG, 1, 75_000, 924_990)).leftovers == []


def test_what_was_sold_beyond_what_the_book_had_is_no_fill_that_waits_for_its_booking() -> None:
    found = read(
        started(), ev.OrderSending(at("10:00"), an_order("Q1", qty=2)), ev.OrderAccepted(at("10:00"), "Q1", "5"),
        a_fill(2), ev.Alert(at("10:01"), ev.Level.CRITICAL, "oversold", "order Q1 sold 2 shares", ""),
    )  # fmt: skip
    assert found.leftovers == []


def test_numbers_that_the_broker_itself_named_are_told_apart_from_those_that_were_found() -> None:
    found = read(
        started(answered=("2",), settled=("1", "2"), leftovers=(LEFT,)),
        ev.OrderSending(at("10:00"), an_order("L000001", qty=3)), ev.OrderAccepted(at("10:00"), "L000001", "3"),
        ev.OrderSending(at("10:01"), an_order("Q1")), ev.OrderAccepted(at("10:01"), "Q1", "4"),
        ev.OrderSending(at("10:02"), an_order("Q2")), ev.OrderUnconfirmed(at("10:02"), "Q2", "timed out"),
        ev.OrderAccepted(at("10:03"), "Q2", "5"),
    )  # fmt: skip
    assert (found.numbers, found.answered) == (frozenset("12345"), frozenset("24"))


def test_an_order_that_was_given_up_and_turned_up_is_no_error() -> None:
    order = an_order("Q1", qty=2)
    found = read(
        started(), ev.OrderSending(at("10:00"), order), ev.OrderAbandoned(at("10:01"), "Q1", "no trace"),
        ev.OrderAccepted(at("10:02"), "Q1", "5"), a_fill(1), changed(SAMSUNG, 1, 75_000, 924_990),
    )  # fmt: skip
    (left,) = found.leftovers
    assert (left.number, left.remaining, found.numbers) == ("5", 1, frozenset({"5"}))


def test_an_order_that_a_person_said_is_gone_is_carried_on_only_when_it_turned_up_after_all() -> None:
    rows = (
        started(), ev.OrderSending(at("10:00"), an_order("Q1", qty=2)), ev.OrderUnconfirmed(at("10:00"), "Q1", "lost"),
        ev.OrderAbandoned(at("10:01"), "Q1", "no trace"), ev.OrderResolved(at("10:01"), "Q1", "", "not there", ""),
    )  # fmt: skip
    assert read(*rows).leftovers == []
    (left,) = read(*rows, ev.OrderAccepted(at("10:02"), "Q1", "5")).leftovers
    assert left.number == "5"


def test_a_fill_that_followed_a_cancel_is_no_error() -> None:
    found = read(
        started(), ev.OrderSending(at("10:00"), an_order("Q1")), ev.OrderAccepted(at("10:00"), "Q1", "5"),
        ev.OrderCanceled(at("10:02"), "Q1", 1, "asked"),
        ev.OrderFilled(at("10:03"), "Q1", SAMSUNG, Side.BUY, 75_000, 1), changed(SAMSUNG, 1, 75_000, 924_990),
    )  # fmt: skip
    assert (found.leftovers, found.positions, found.cash) == ([], {SAMSUNG: (1, 75_000)}, 924_990)


def test_the_profit_of_the_day_goes_on_from_session_to_session() -> None:
    found = read(started(profit=-100_000), changed(SAMSUNG, 0, 0, 859_990, realized=-40_000))
    assert found.profit == -140_010


def corrected(symbol: str, qty: int, cost: int, *, foreign: int = 0, realized: int = 0) -> ev.BookCorrected:
    return ev.BookCorrected(
        at("10:05"), "sold-elsewhere", symbol, 5, qty, (1, 2), qty, cost, foreign, 700_000, 40_000, realized
    )


def test_a_corrected_book_is_what_the_next_session_begins_with() -> None:
    found = read(
        started(foreign={SAMSUNG: 1}), changed(SAMSUNG, 5, 375_000, 624_990),
        corrected(SAMSUNG, 2, 150_000, foreign=3, realized=-9_000), corrected("", 0, 0),
    )  # fmt: skip
    assert found.positions == {SAMSUNG: (2, 150_000)}
    assert (found.foreign, found.cash, found.aside, found.profit) == ({SAMSUNG: 3}, 700_000, 40_000, -9_010)
