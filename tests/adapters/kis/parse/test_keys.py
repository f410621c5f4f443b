import pytest

from qbtrade.adapters.kis.environment import NS
from qbtrade.adapters.kis.http import HttpReply
from qbtrade.adapters.kis.parse import keys
from qbtrade.adapters.kis.parse.envelope import Page, read
from qbtrade.errors import WireError
from tests.adapters.kis.desk import NOW, TOKEN, a_reply, a_token
from tests.builders import at
from tests.shared_data import shared


def page(body: object) -> Page:
    reply = body if isinstance(body, HttpReply) else a_reply(body)
    return read("tokenP", reply, bare=True)


def test_a_token_lasts_as_long_as_it_says() -> None:
    found = keys.grant(NOW, page(a_token(lasts=600)))
    assert (found.token.reveal(), found.expires) == (TOKEN, NOW + 600 * NS)


def test_the_told_end_is_kst() -> None:
    told = {"access_token": TOKEN, "access_token_token_expired": "2026-11-20 16:00:00"}
    assert keys.grant(NOW, page(told)).expires == at("16:00")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"access_token": TOKEN},
        {"access_token": "", "expires_in": 60},
        {"access_token": "two words", "expires_in": 60},
        {"access_token": "line\nbreak", "expires_in": 60},
        {"access_token": "x" * 5000, "expires_in": 60},
        {"access_token": TOKEN, "expires_in": -5},
        {"access_token": TOKEN, "access_token_token_expired": "tomorrow"},
    ],
)
def test_what_is_no_token_is_an_error(body: dict[str, object]) -> None:
    with pytest.raises(WireError) as caught:
        keys.grant(NOW, page(body))
    assert TOKEN not in str(caught.value)


def test_the_approval_key_is_a_secret() -> None:
    found = keys.approval([page({"approval_key": "0a1b2c3d-uuid"})])
    assert (str(found), found.reveal()) == ("***", "0a1b2c3d-uuid")


def test_an_answer_without_approval_key_is_an_error() -> None:
    with pytest.raises(WireError, match="approval_key"):
        keys.approval([page({"approval": "x"})])


def test_the_recorded_shapes_have_the_names_that_are_read() -> None:

    assert b'"access_token_token_expired"' in shared("kis_samples/rest/token_shape.json").read_bytes()
    assert b'"approval_key"' in shared("kis_samples/rest/approval_shape.json").read_bytes()
