"""Answers about lost orders: kept as files, honoured by the session that begins after they were given."""

from datetime import time
from pathlib import Path

import msgspec
import pytest

from qbtrade.adapters.kis.answer import Answer
from qbtrade.adapters.kis.parse.orders import OrderRow
from qbtrade.app.live.board import AccountFiles
from qbtrade.app.live.carried import Carried
from qbtrade.app.live.resolving import answers, answers_dir, give, honour
from qbtrade.domain.events import Leftover
from qbtrade.domain.order import Side
from tests.adapters.kis.desk import an_environment
from tests.builders import SAMSUNG, an_order, at
from tests.kis_venue import DAY

ENVIRONMENT = an_environment("real")
GONE = Answer("run-1", "Q1", "", "", (), "seen in the app", "0 orders", 1)
FOUND = msgspec.structs.replace(GONE, number="7")
LOST = Leftover("Q1", an_order("Q1", qty=5, price=75_000), at("10:00", DAY))
ROW = OrderRow(
    day=DAY, at=time(10), branch="", order_no="7", original_no="", symbol=SAMSUNG, side=Side.BUY, code="00", qty=5,
    price=75_000, filled_qty=0, filled_amount=0, open_qty=5, canceled_qty=0, rejected_qty=0,
)  # fmt: skip


def left(*orders: Leftover) -> Carried:
    return Carried(leftovers=list(orders), run_id="run-1", numbers=frozenset({"3"}))


def test_a_session_is_told_each_answer_to_its_own_orders_once(tmp_path: Path) -> None:
    board = AccountFiles(tmp_path, ENVIRONMENT, "run-1")
    assert board.answers() == ()
    give(tmp_path, ENVIRONMENT, GONE)
    give(tmp_path, ENVIRONMENT, msgspec.structs.replace(GONE, run_id="run-0"))
    assert (board.answers(), board.answers()) == ((GONE,), ())
    give(tmp_path, ENVIRONMENT, FOUND)
    assert board.answers() == (FOUND,)


def test_an_answer_that_was_refused_is_nobodys_any_more(tmp_path: Path) -> None:
    give(tmp_path, ENVIRONMENT, GONE)
    AccountFiles(tmp_path, ENVIRONMENT, "run-1").refuse(GONE)
    assert answers(tmp_path, ENVIRONMENT) == ()


def test_a_file_that_is_no_answer_says_nothing(tmp_path: Path) -> None:
    path = give(tmp_path, ENVIRONMENT, GONE)
    assert path.parent == answers_dir(tmp_path, ENVIRONMENT)
    path.write_text("{")
    assert answers(tmp_path, ENVIRONMENT) == ()


def test_an_order_that_is_gone_is_not_carried_on() -> None:
    found = left(LOST)
    assert honour(found, [GONE], []) == (GONE,)
    assert found.leftovers == []


def test_an_order_whose_number_was_named_is_carried_on_with_it() -> None:
    found = left(LOST)
    assert honour(found, [FOUND], []) == (FOUND,)
    assert [each.number for each in found.leftovers] == ["7"]


@pytest.mark.parametrize(
    ("order", "answer", "rows"),
    [
        (LOST, msgspec.structs.replace(GONE, run_id="run-0"), []),
        (LOST, msgspec.structs.replace(GONE, order_id="Q2"), []),
        (msgspec.structs.replace(LOST, number="9"), GONE, []),
        (LOST, GONE, [ROW]),
    ],
    ids=["of-another-run", "of-another-order", "number-known", "turned-up-meanwhile"],
)
def test_otherwise_it_stays_what_it_was(order: Leftover, answer: Answer, rows: list[OrderRow]) -> None:
    found = left(order)
    assert (honour(found, [answer], rows), found.leftovers) == ((), [order])


@pytest.mark.parametrize("number", ["3", "7"])
def test_an_order_that_is_known_to_be_anothers_speaks_against_nothing(number: str) -> None:
    answer = msgspec.structs.replace(GONE, aside=("7",))
    found = left(LOST)
    assert honour(found, [answer], [msgspec.structs.replace(ROW, order_no=number)]) == (answer,)
