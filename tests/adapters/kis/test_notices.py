import base64

import pytest

from qbtrade.adapters.kis.events import Action, Notice, Stage
from qbtrade.adapters.kis.frames import read_frame
from qbtrade.adapters.kis.notices import Seal, read_notices
from qbtrade.domain.order import Side
from qbtrade.errors import WireError
from tests.adapters.kis.wire import ACCOUNT, IV, KEY, notice_record, seal, sealed_frame
from tests.builders import at

NOW, TODAY = at("10:00:02"), "20261120"
FILL = Notice(
    at("10:00:01"), ACCOUNT, "117057", "", "005930", Side.BUY, Action.NEW, Stage.FILLED, qty=3, price=75_000,
    order_qty=10,
)  # fmt: skip


def read(text: str, key: str = KEY) -> list[Notice | WireError]:
    return read_notices(read_frame(text), Seal(key, IV), NOW, TODAY)


def only(text: str) -> Notice:
    (notice,) = read(text)
    assert isinstance(notice, Notice)
    return notice


@pytest.mark.parametrize("width", [23, 26, 27, 40])
@pytest.mark.parametrize("tr_id", ["H0STCNI0", "H0STCNI9"])
def test_a_fill_is_read_whatever_its_width(width: int, tr_id: str) -> None:
    assert read(sealed_frame(notice_record(width=width), tr_id=tr_id)) == [FILL]


def test_every_notice_of_a_frame_is_read_and_a_broken_one_stands_for_itself() -> None:
    first, broken, last = read(sealed_frame(notice_record(), notice_record(over={4: "09"}), notice_record()))
    assert (first, last) == (FILL, FILL)
    assert isinstance(broken, WireError)


@pytest.mark.parametrize(
    ("over", "action", "stage"),
    [
        ({13: "1", 14: "1"}, Action.NEW, Stage.ACCEPTED),
        ({13: "1", 14: "2", 5: "1", 3: "0000117000"}, Action.AMEND, Stage.CONFIRMED),
        ({13: "1", 14: "2", 5: "2", 3: "117000", 10: "000000000"}, Action.CANCEL, Stage.CONFIRMED),
        ({13: "1", 14: "3"}, Action.NEW, Stage.LAPSED),
        ({13: "1", 14: "1", 12: "1"}, Action.NEW, Stage.REJECTED),
        ({13: "1", 14: "", 12: "1", 10: ""}, Action.NEW, Stage.REJECTED),
    ],
)
def test_what_became_of_an_order_is_told_apart(over: dict[int, str], action: Action, stage: Stage) -> None:
    notice = only(sealed_frame(notice_record(over=over)))
    assert (notice.action, notice.stage) == (action, stage)
    assert notice.original_no == ("117000" if 3 in over else "")


@pytest.mark.parametrize("written", ["0000117057", "117057", "  117057 "])
def test_order_numbers_are_the_same_with_and_without_zeros(written: str) -> None:
    assert only(sealed_frame(notice_record(over={2: written}))).order_no == "117057"


def test_a_name_that_is_no_utf8_costs_no_fill() -> None:
    broken = notice_record().encode().replace(b"Tester", b"\xb1\xe8\xff")
    assert read(f"1|H0STCNI0|001|{seal(broken)}") == [FILL]


def test_a_notice_without_its_time_is_of_now() -> None:
    assert only(sealed_frame(notice_record(over={11: ""}))).ts == NOW


@pytest.mark.parametrize(
    "over",
    [
        {2: ""}, {2: "0000000000"}, {2: "A1"}, {4: ""}, {5: "7"}, {8: ""}, {9: "3.5"}, {9: ""}, {10: ""}, {10: "0"},
        {9: "\ufffd"}, {11: "999999"}, {13: "1", 14: "7"},
    ],
)  # fmt: skip
def test_a_notice_with_a_field_that_means_nothing_is_not_guessed(over: dict[int, str]) -> None:
    (found,) = read(sealed_frame(notice_record(over=over)))
    assert isinstance(found, WireError)


@pytest.mark.parametrize(
    "payload",
    [
        "", "not base64!", "\ud55c\uae00", base64.b64encode(b"short").decode(), base64.b64encode(b"x" * 32).decode(),
        seal(notice_record())[:-4], seal("too^few"), seal(notice_record(), key=KEY[::-1]), seal(b"\xff" * 100),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_is_refused(payload: str) -> None:
    with pytest.raises(WireError):
        read(f"1|H0STCNI0|001|{payload}")


def test_a_notice_that_comes_before_its_key_is_refused() -> None:
    with pytest.raises(WireError, match="before its key"):
        read_notices(read_frame(sealed_frame(notice_record())), None, NOW, TODAY)


@pytest.mark.parametrize(("key", "iv"), [("", ""), (KEY[:16], IV), (KEY, IV[:8]), (KEY + "x", IV)])
def test_a_key_of_another_length_is_refused(key: str, iv: str) -> None:
    with pytest.raises(WireError):
        Seal(key, iv)
