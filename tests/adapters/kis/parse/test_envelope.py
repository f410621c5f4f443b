import pytest

from qbtrade.adapters.kis.http import HttpReply
from qbtrade.adapters.kis.parse.envelope import Row, plain, read
from qbtrade.errors import WireError
from tests.adapters.kis.desk import a_reply, a_token_error
from tests.shared_data import shared

CTX = ("CTX_AREA_FK100", "CTX_AREA_NK100")


def test_a_success_is_told_by_rt_cd_alone() -> None:
    page = read("price", a_reply({"rt_cd": "0", "msg_cd": "70070000", "msg1": "no rows".ljust(80)}))
    assert (page.ok, page.code, page.text) == (True, "70070000", "no rows")


def test_the_token_desk_has_names_of_its_own() -> None:
    page = read("tokenP", a_token_error("EGW00133"), bare=True)
    assert (page.ok, page.code, page.text) == (False, "EGW00133", "wait")


def test_names_are_found_in_either_case() -> None:
    page = read("order", a_reply({"RT_CD": "0", "OUTPUT": {"ODNO": "1"}}))
    assert page.row("output").text("odno") == "1"


@pytest.mark.parametrize(("tr_cont", "more"), [("F", True), ("M", True), ("D", False), ("E", False), ("", False)])
def test_another_page_is_announced_by_the_header(tr_cont: str, *, more: bool) -> None:
    body = {"rt_cd": "0", "ctx_area_fk100": "a".ljust(100), "ctx_area_nk100": "b".ljust(100)}
    page = read("balance", a_reply(body, tr_cont=tr_cont), CTX)
    assert (page.more, page.ctx) == (more, ("a".ljust(100), "b".ljust(100)))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"5", b'{"a":1}', b"\xff\xfe{", b'{"rt_cd":0}'])
def test_what_has_no_envelope_is_an_error(body: bytes) -> None:
    with pytest.raises(WireError):
        read("price", HttpReply(200, {}, body))


def test_wrong_utf_8_in_a_text_does_not_spoil_the_rest() -> None:
    page = read("price", HttpReply(200, {}, b'{"rt_cd":"0","msg1":"\xff\xfe ok"}'))
    assert page.ok


def test_texts_that_would_disturb_a_terminal_are_made_plain() -> None:
    assert plain(" a\x1b[31mb\u202ec\r\n ") == "a [31mb c"


@pytest.mark.parametrize(
    ("text", "number"), [("000000123", 123), ("-42", -42), ("+7", 7), ("75000.0000", 75_000), (" 5 ", 5)]
)
def test_whole_numbers_may_be_padded_and_signed(text: str, number: int) -> None:
    assert Row("price", {"n": text}).whole("n") == number


@pytest.mark.parametrize("text", ["", "1.5", "1_000", "0x10", "1e3", "٣", "9" * 19, "--1", "."])
def test_what_is_no_whole_number_is_an_error(text: str) -> None:
    with pytest.raises(WireError):
        Row("price", {"n": text}).whole("n")


def test_recorded_errors_tell_their_codes() -> None:
    import msgspec

    found = msgspec.json.decode(shared("kis_samples/rest/errors.json").read_bytes())
    codes = [read("a call", a_reply(each["body"], each["http_status"])).code for each in found]
    assert codes == ["EGW00201", "EGW00123", "EGW00133", "APBK0952"]
