"""Frames that KIS sent, where they are on this machine."""

import json
from datetime import date

import pytest

from qbtrade.adapters.kis.frames import Reader, read_control, read_frame
from qbtrade.adapters.kis.tape import Tape
from tests.builders import at
from tests.shared_data import shared

WS = "kis_samples/ws/"


def lines(name: str) -> list[str]:
    return shared(WS + name).read_text(encoding="utf-8").splitlines()


def test_seven_busy_frames_give_every_trade_and_no_gap() -> None:
    tape = Tape()
    reader = Reader(tape)
    trades = [trade for line in lines("h0stcnt0_005930_20260608.txt") for trade in reader.trades(read_frame(line), "")]
    assert (len(trades), reader.records, sum(reader.unread.values())) == (25, 25, 0)
    assert {trade.symbol for trade in trades} == {"005930"}
    assert {trade.price for trade in trades} <= {313_500, 313_750, 314_000}
    assert sum(trade.qty for trade in trades) + tape.missed_volume == 21_357_670 - 21_357_216 + trades[0].qty
    assert (tape.repeats, tape.late, tape.restarts) == (0, 0, 0)


def test_a_frame_that_comes_twice_gives_its_trades_once() -> None:
    tape = Tape()
    reader = Reader(tape)
    frame = read_frame(lines("h0stcnt0_005930_20260608.txt")[0])
    assert (len(reader.trades(frame, "")), reader.trades(frame, ""), tape.repeats) == (5, [], 5)


@pytest.mark.parametrize(
    ("name", "count"), [("h0stcnt0_older.txt", 6), ("h0stcnt0_000660_20260713.txt", 3)]
)  # 2022 to 2026
def test_trades_of_other_years_are_read(name: str, count: int) -> None:
    reader = Reader(Tape())
    trades = [trade for line in lines(name) for trade in reader.trades(read_frame(line), "")]
    assert (len(trades), reader.unread["H0STCNT0"]) == (count, 0)
    assert not any(trade.auction for trade in trades)


@pytest.mark.parametrize(
    ("name", "today", "bids"),
    [
        ("h0stasp0_005930_20260608.txt", "20260608", [313_500] * 5),
        ("h0stasp0_000660_20260713.txt", "20260713", [1_995_000]),
        ("h0stasp0_older.txt", "20240102", [98_900, 77_800, 323_500]),
    ],
)
def test_books_of_every_width_are_read(name: str, today: str, bids: list[int]) -> None:
    reader = Reader(Tape())
    quotes = [quote for line in lines(name) for quote in reader.quotes(read_frame(line), today)]
    assert [quote.bid for quote in quotes] == bids
    assert all(quote.bid < quote.ask and quote.bid_qty and quote.ask_qty for quote in quotes)


def test_the_first_trade_is_read_to_the_share() -> None:
    first = Reader(Tape()).trades(read_frame(lines("h0stcnt0_older.txt")[0]), "")[0]
    moment = at("13:28:48", date(2022, 8, 30))
    assert (first.ts, first.symbol, first.price, first.qty) == (moment, "000660", 93_000, 1)


def test_control_answers_are_read() -> None:
    answers = [read_control(line) for line in lines("control.jsonl")]
    assert [(each.tr_id, each.code, each.is_success, each.is_ping) for each in answers] == [
        ("H0STASP0", "OPSP0000", True, False),
        ("H0STCNT0", "OPSP0000", True, False),
        ("PINGPONG", "", True, True),
        ("(null)", "OPSP8996", False, False),
        ("H0STASP0", "", False, False),
    ]
    assert json.loads(lines("control.jsonl")[4])["body"]["msg1"] == answers[4].text
