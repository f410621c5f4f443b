import pytest

from qbtrade.adapters.kis.frames import Reader, read_control, read_frame
from qbtrade.adapters.kis.tape import Tape
from qbtrade.domain.market import Quote, Trade
from qbtrade.errors import WireError
from tests.adapters.kis.wire import TRADES, answer, book_record, frame, trade_frame, trade_record
from tests.builders import at

TODAY = "20261120"


def trades(*records: str, reader: Reader | None = None) -> list[Trade]:
    return (reader or Reader(Tape())).trades(read_frame(trade_frame(*records)), TODAY)


def quotes(*records: str, reader: Reader | None = None) -> list[Quote]:
    return (reader or Reader(Tape())).quotes(read_frame(frame("H0STASP0", *records)), TODAY)


@pytest.mark.parametrize("width", [46, 47, 48, 60])
@pytest.mark.parametrize("count", [1, 2, 20])
def test_every_record_of_a_frame_is_read_whatever_its_width(width: int, count: int) -> None:
    records = [trade_record(75_000 + n, 2, 1_000 + 2 * n, width=width) for n in range(count)]
    assert trades(*records) == [
        Trade(at("10:00"), "005930", 75_000 + n, 2, side="BUY", volume=1_000 + 2 * n) for n in range(count)
    ]


@pytest.mark.parametrize("width", [59, 62, 63, 66])
def test_the_best_levels_of_a_book_are_read_whatever_its_width(width: int) -> None:
    (quote,) = quotes(book_record(width=width))
    assert quote == Quote(at("10:00"), "005930", 75_000, 340, 75_100, 120, depth=quote.depth)
    asks, bids, ask_qtys, bid_qtys = (quote.depth[at : at + 10] for at in range(0, 40, 10))
    assert (asks[0], bids[0], ask_qtys[0], bid_qtys[0]) == ("75100", "75000", "120", "340")
    assert sorted(asks, key=int) == list(asks)
    assert sorted(bids, key=int, reverse=True) == list(bids)


@pytest.mark.parametrize(("place", "value"), [(21, "3"), (43, "B")])
def test_a_print_of_an_auction_says_so(place: int, value: str) -> None:
    reader = Reader(Tape())
    trades(trade_record(volume=1_000, qty=1), reader=reader)
    (trade,) = trades(trade_record(volume=1_005, qty=5, over={place: value}), reader=reader)
    assert trade.auction


@pytest.mark.parametrize(("taker", "side"), [("1", "BUY"), ("5", "SELL"), ("3", ""), ("", ""), ("9", "")])
def test_a_trade_says_who_took_the_other_sides_price(taker: str, side: str) -> None:
    (trade,) = trades(trade_record(over={21: taker}))
    assert trade.side == side


def test_an_expected_price_is_no_trade() -> None:
    assert trades(trade_record(volume=1_000, qty=5, over={43: "B"})) == []


@pytest.mark.parametrize(
    "over",
    [
        {0: "00593"}, {0: ""}, {1: "250000"}, {1: "1000"}, {1: ""}, {2: ""}, {2: "0"}, {2: "-75000"}, {2: "75000.0"},
        {2: "7_5"}, {2: "\u0667\u0665"}, {2: "7" * 19}, {12: ""}, {12: "+1"}, {12: "2000"}, {13: " "}, {33: "20261350"},
        {2: "\ufffd5000"}, {0: "\ufffd05930"},
    ],
)  # fmt: skip
def test_a_record_with_a_field_that_means_nothing_is_set_aside_alone(over: dict[int, str]) -> None:
    reader = Reader(Tape())
    found = trades(trade_record(volume=1_000), trade_record(volume=1_003, over=over), trade_record(volume=1_006),
                   reader=reader)  # fmt: skip
    assert ([trade.price for trade in found], reader.unread) == ([75_000] * 2, {"H0STCNT0": 1, "H0STASP0": 0})


def test_a_record_without_its_date_is_of_today() -> None:
    assert trades(trade_record(over={33: ""})) == [Trade(at("10:00"), "005930", 75_000, 3, side="BUY", volume=1_000)]


def test_blank_fields_that_nobody_reads_do_no_harm() -> None:
    blank = dict.fromkeys((3, 4, 5, 6, 14, 18, 22, 35, 40, 44, 45, 46), "")
    assert len(trades(trade_record(over=blank))) == 1


def test_a_book_with_a_blank_level_is_set_aside() -> None:
    reader = Reader(Tape())
    assert quotes(book_record(over={13: ""}), book_record(), reader=reader) == quotes(book_record())
    assert reader.unread["H0STASP0"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "0|H0STCNT0|001", "2|H0STCNT0|001|x", "0|H0NXCNT0|001|x", "0|H0STCNT0|000|x", "0|H0STCNT0|-01|x",
        "0|H0STCNT0||x", "0|H0STCNT0|1e2|x", f"0|H0STCNT0|{'9' * 30}|x",
    ],
)  # fmt: skip
def test_an_envelope_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        read_frame(text)


@pytest.mark.parametrize(
    "text", [trade_frame(trade_record(width=45)), trade_frame(trade_record(), trade_record() + "^1"), "0|H0STCNT0|001|"]
)
def test_a_frame_that_cannot_be_cut_into_records_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        Reader(Tape()).trades(read_frame(text), TODAY)


def test_an_answer_is_read_and_prints_no_key() -> None:
    control = read_control(answer(TRADES))
    assert (control.tr_id, control.tr_key, control.code, control.is_success) == (*TRADES, "OPSP0000", True)
    assert len(control.key) == 32
    assert control.key not in repr(control)
    assert control.iv not in repr(control)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"x"', '{"header":{}}', '{"header":{"tr_id":"X"}}', "[" * 9_999])
def test_an_answer_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        read_control(text)
