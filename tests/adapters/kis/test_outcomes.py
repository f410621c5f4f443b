"""Row by row what PROTOCOL 3.5 says an order request can meet."""

import pytest

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.codes import CODES, Verdict, verdict
from qbtrade.adapters.kis.http import ConnectFailed, HttpOutcome, NoAnswer
from qbtrade.adapters.kis.outcomes import Accepted, NotSent, Refused, Unconfirmed, order_outcome
from tests.adapters.kis.desk import TAKEN, a_reply, a_token_error, an_environment, an_error
from tests.builders import an_order

OUTPUT = {"KRX_FWDG_ORD_ORGNO": "06010", "ODNO": "0000001234", "ORD_TMD": "093000"}
LOWER = {name.lower(): value for name, value in OUTPUT.items()}


def outcome_of(outcome: HttpOutcome, refusals: frozenset[str] = frozenset()) -> object:
    environment = an_environment(refusals=refusals)
    return order_outcome(environment, calls.order(environment, an_order()), outcome)


@pytest.mark.parametrize(
    "body",
    [
        {**TAKEN, "output": OUTPUT},
        {**TAKEN, "output": LOWER},
        {**TAKEN, "msg_cd": "40600000", "output": {**OUTPUT, "ODNO": "1234"}},
        {**TAKEN, "msg_cd": "APBK0952", "output": OUTPUT},  # rt_cd decides, never msg_cd
        {**TAKEN, "output": {**OUTPUT, "ORD_TMD": ""}},
        {**TAKEN, "output": [OUTPUT]},
    ],
)
@pytest.mark.parametrize("status", [200, 500])
def test_1_success_with_a_number_is_accepted(body: dict[str, object], status: int) -> None:
    found = outcome_of(a_reply(body, status))
    assert isinstance(found, Accepted)
    assert found.ack.order_no == "1234"


REFUSALS = sorted(code for code in CODES if verdict(code) is Verdict.REFUSED)


@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize("status", [200, 500])
def test_2_a_known_refusal_is_rejected_whatever_its_status(code: str, status: int) -> None:
    assert outcome_of(an_error(code, status, rt_cd="7", text="why")) == Refused(code, "why")


def test_2_the_configuration_may_name_more_refusals() -> None:
    assert outcome_of(an_error("APBK7777", 200), frozenset({"APBK7777"})) == Refused("APBK7777", "no")


def test_3_a_failed_connect_is_not_sent() -> None:
    assert outcome_of(ConnectFailed("connection refused")) == NotSent("connection refused")


@pytest.mark.parametrize("code", ["APBK0066", "APBK1234", "APBK1663"])
def test_4_a_code_that_is_hearsay_proves_nothing_unless_somebody_says_so(code: str) -> None:
    assert outcome_of(an_error(code, 200)) == Unconfirmed("no", code)
    assert outcome_of(an_error(code, 200), frozenset({code})) == Refused(code, "no")


UNSURE = sorted(code for code, row in CODES.items() if code.startswith("EGW") and row.verdict is not Verdict.REFUSED)


@pytest.mark.parametrize("code", UNSURE)
@pytest.mark.parametrize("status", [200, 403, 500])
def test_4_what_the_gateway_says_proves_nothing(code: str, status: int) -> None:
    assert outcome_of(an_error(code, status)) == Unconfirmed("no", code)


@pytest.mark.parametrize(
    "outcome",
    [
        NoAnswer("no answer in 10 s"),
        NoAnswer("connection reset"),
        a_reply(b"<html>502</html>", 502),
        a_reply(b"", 500),
        a_reply(b"", 200),
        a_reply(b'{"rt_cd":"0","output":{"ODNO":"00000', 200),
        a_reply([], 200),
        a_reply({}, 200),
        a_reply({**TAKEN}, 200),
        a_reply({**TAKEN, "output": {}}, 200),
        a_reply({**TAKEN, "output": {**OUTPUT, "ODNO": ""}}, 200),
        a_reply({**TAKEN, "output": {**OUTPUT, "ODNO": "0000000000"}}, 200),
        a_reply({**TAKEN, "output": {**OUTPUT, "ODNO": None}}, 200),
        a_reply({**TAKEN, "output": "0000001234"}, 200),
        a_reply({"output": OUTPUT}, 500),
        a_reply({"rt_cd": "1"}, 200),
        an_error("APBK0013"),
        an_error("APBK7777", 200),
        an_error("", 200),
        a_token_error("EGW00123", 401),
    ],
)
def test_4_everything_else_is_unconfirmed(outcome: HttpOutcome) -> None:
    assert isinstance(outcome_of(outcome), Unconfirmed)


def test_a_reply_without_rt_cd_proves_nothing_even_with_a_number() -> None:
    assert isinstance(outcome_of(a_reply({"output": OUTPUT}, 200)), Unconfirmed)
