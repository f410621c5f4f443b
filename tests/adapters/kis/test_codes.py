import re

from qbtrade.adapters.kis.codes import CODES, Verdict, verdict


def test_every_code_has_a_meaning_and_an_advice() -> None:
    assert [row.code for row in CODES.values() if not (row.meaning and row.advice)] == []


def test_a_code_that_is_not_in_the_table_proves_nothing() -> None:
    assert verdict("APBK9999") is None
    assert verdict("") is None


def test_hearsay_proves_nothing() -> None:
    hearsay = [code for code, row in CODES.items() if row.sure == "unverified"]

    assert hearsay == ["APBK0066", "APBK1234", "APBK1663"]
    assert {verdict(code) for code in hearsay} == {None}


def test_success_codes_of_orders_are_no_refusals() -> None:
    assert {code for code, row in CODES.items() if row.verdict is Verdict.TAKEN} == {"APBK0013", "40600000", "40590000"}


def test_no_code_of_the_gateway_proves_that_an_order_was_refused() -> None:
    assert [code for code, row in CODES.items() if code.startswith("EGW") and row.verdict is Verdict.REFUSED] == []


def test_codes_look_like_codes() -> None:
    assert [code for code in CODES if not re.fullmatch(r"[A-Z]{3,4}\d{4,5}|\d{8}", code)] == []
