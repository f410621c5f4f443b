import json
from datetime import date

import pytest

from qbtrade.adapters.kis_fields import (
    ENCRYPTED,
    FIELDS,
    ORDER_CODES,
    PAPER_STREAMS,
    REST,
    WIDTHS,
    position,
    width,
)
from tests.shared_data import ROOT
from tools import kis_fields


def test_the_tables_are_as_fresh_as_the_field_lists() -> None:
    source = (ROOT / "../shared/kis/fields.json").resolve()
    if not source.exists():
        pytest.skip("the field lists are not on this machine")
    module = kis_fields.MODULE.read_text(encoding="utf-8")
    assert kis_fields.written(module, json.loads(source.read_text(encoding="utf-8"))) == module


@pytest.mark.parametrize(
    ("tr_id", "name", "index"),
    [
        ("H0STCNT0", "MKSC_SHRN_ISCD", 0),
        ("H0STCNT0", "STCK_PRPR", 2),
        ("H0STCNT0", "CNTG_VOL", 12),
        ("H0STCNT0", "ACML_VOL", 13),
        ("H0STCNT0", "MARKET_CLS_CODE", 46),
        ("H0STASP0", "ASKP1", 3),
        ("H0STASP0", "BIDP10", 22),
        ("H0STASP0", "ANTC_CNPR", 47),
        ("H0STCNI0", "ODER_NO", 2),
        ("H0STCNI9", "ODER_QTY", 16),
        ("H0STMKO0", "VI_CLS_CODE", 8),
    ],
)
def test_fields_stand_where_the_documents_say(tr_id: str, name: str, index: int) -> None:
    assert position(tr_id, name) == index


@pytest.mark.parametrize(
    ("tr_id", "day", "fields"),
    [
        ("H0STCNT0", date(2026, 9, 11), 46),
        ("H0STCNT0", date(2026, 9, 14), 47),
        ("H0STASP0", date(2024, 1, 2), 59),
        ("H0STASP0", date(2026, 9, 11), 62),
        ("H0STASP0", date(2026, 9, 14), 63),
        ("H0STCNI0", date(2024, 1, 2), 23),
        ("H0STCNI0", date(2026, 11, 20), 26),
        ("H0STCNI9", date(2026, 11, 20), 23),
    ],
)
def test_records_have_the_width_of_their_day(tr_id: str, day: date, fields: int) -> None:
    assert width(tr_id, day) == fields


def test_every_stream_that_is_named_has_its_fields() -> None:
    assert set(WIDTHS) <= set(FIELDS)
    assert set(FIELDS) >= PAPER_STREAMS | ENCRYPTED


def test_the_first_seventeen_fields_of_a_notice_are_the_same_in_both_widths() -> None:
    assert FIELDS["H0STCNI0"][:17] == FIELDS["H0STCNI9_LEGACY23"][:17]


def test_a_transaction_says_where_paper_has_none() -> None:
    assert REST["chk-holiday"].tr_id("paper") == ""
    assert REST["order-cash"].tr_id("paper", "sell") == "VTTC0011U"


def test_paging_keys_are_asked_for_and_named_context_first() -> None:
    paged = {name: tr.ctx for name, tr in REST.items() if tr.ctx}
    assert set(paged) == {"inquire-psbl-rvsecncl", "inquire-daily-ccld", "inquire-balance", "chk-holiday"}
    assert all(set(tr.ctx) <= set(tr.request) and "FK" in tr.ctx[0] for tr in REST.values() if tr.ctx)


def test_the_market_order_has_no_place_on_nxt() -> None:
    assert ORDER_CODES["01"].venues == ("KRX", "SOR")
