from collections.abc import Callable
from datetime import time
from typing import Any

import pytest

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.call import Call, CallKind, Priority
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis_fields import ORDER_CODES, REST
from qbtrade.domain.order import OrderKind, Purpose, Side, TimeInForce
from qbtrade.errors import ConfigError
from tests.adapters.kis.desk import an_environment
from tests.builders import TODAY, an_order

EVERYWHERE: dict[str, Callable[[Environment], Call[Any]]] = {
    "order": lambda env: calls.order(env, an_order()),
    "cancel": lambda env: calls.cancel(env, "06010", "1234", "00"),
    "amend": lambda env: calls.amend(env, "06010", "1234", "00", price=75_000),
    "order_history": lambda env: calls.order_history(env, TODAY, TODAY, symbol="005930"),
    "balance": calls.balance,
    "buying_power": lambda env: calls.buying_power(env, "005930", 75_000),
    "price": lambda env: calls.price(env, "005930"),
    "book": lambda env: calls.book(env, "005930"),
    "conclusions": lambda env: calls.conclusions(env, "005930"),
    "conclusions_until": lambda env: calls.conclusions_until(env, "005930", time(10)),
    "minute_bars": lambda env: calls.minute_bars(env, "005930", time(10)),
    "daily_bars": lambda env: calls.daily_bars(env, "005930", TODAY, TODAY),
}
REAL_ONLY: dict[str, Callable[[Environment], Call[Any]]] = {
    "live_orders": calls.live_orders,
    "sellable": lambda env: calls.sellable(env, "005930"),
    "past_minute_bars": lambda env: calls.past_minute_bars(env, "005930", TODAY, time(15, 30)),
    "market_days": lambda env: calls.market_days(env, TODAY),
    "interruptions": lambda env: calls.interruptions(env, "005930", TODAY),
    "stock_info": lambda env: calls.stock_info(env, "005930"),
}

EVERY_CALL = EVERYWHERE | REAL_ONLY


@pytest.mark.parametrize("name", EVERY_CALL)
def test_a_call_names_its_transaction_and_every_parameter_of_it(name: str) -> None:
    call = EVERY_CALL[name](an_environment("real"))
    tr = REST[call.name]
    assert (call.method, call.path, tuple(call.params)) == (tr.method, tr.path, tr.request)
    assert call.tr_id in tr.real.values()
    assert all(isinstance(value, str) for value in call.params.values())


@pytest.mark.parametrize("name", EVERYWHERE)
def test_paper_has_ids_of_its_own(name: str) -> None:
    call = EVERYWHERE[name](an_environment("paper"))
    assert call.tr_id in REST[call.name].paper.values()


@pytest.mark.parametrize("name", REAL_ONLY)
def test_what_paper_does_not_offer_cannot_be_asked_there(name: str) -> None:
    with pytest.raises(ConfigError, match="does not offer"):
        REAL_ONLY[name](an_environment("paper"))


@pytest.mark.parametrize(
    ("kind", "tif", "code", "unit_price"),
    [
        (OrderKind.LIMIT, TimeInForce.DAY, "00", "75000"),
        (OrderKind.LIMIT, TimeInForce.IOC, "11", "75000"),
        (OrderKind.LIMIT, TimeInForce.FOK, "12", "75000"),
        (OrderKind.MARKET, TimeInForce.DAY, "01", "0"),
        (OrderKind.MARKET, TimeInForce.IOC, "13", "0"),
        (OrderKind.MARKET, TimeInForce.FOK, "14", "0"),
    ],
)
def test_every_kind_of_order_has_a_code_that_krx_takes(
    kind: OrderKind, tif: TimeInForce, code: str, unit_price: str
) -> None:
    params = calls.order(an_environment(), an_order(kind=kind, tif=tif)).params
    assert (params["ORD_DVSN"], params["ORD_UNPR"], params["EXCG_ID_DVSN_CD"]) == (code, unit_price, "KRX")
    assert "KRX" in ORDER_CODES[code].venues


def test_sells_have_an_id_and_a_type_of_their_own() -> None:
    sell = calls.order(an_environment(), an_order(side=Side.SELL))
    assert (sell.tr_id, sell.params["SLL_TYPE"]) == ("TTTC0011U", "01")


@pytest.mark.parametrize(
    ("purpose", "priority"),
    [
        (Purpose.ENTRY, Priority.ORDER),
        (Purpose.EXIT, Priority.ORDER),
        (Purpose.PROTECT, Priority.PROTECT),
        (Purpose.FLATTEN, Priority.PROTECT),
    ],
)
def test_what_protects_goes_before_what_enters(purpose: Purpose, priority: Priority) -> None:
    assert calls.order(an_environment(), an_order(purpose=purpose)).priority is priority


def test_a_cancel_takes_all_that_is_left_and_goes_first() -> None:
    call = calls.cancel(an_environment(), "06010", "1234", "00")
    assert call.priority is Priority.CANCEL
    expected = {
        "KRX_FWDG_ORD_ORGNO": "06010", "ORGN_ODNO": "0000001234", "RVSE_CNCL_DVSN_CD": "02", "ORD_QTY": "0",
        "ORD_UNPR": "0", "QTY_ALL_ORD_YN": "Y",
    }  # fmt: skip
    assert {name: call.params[name] for name in expected} == expected


def test_an_amendment_moves_all_that_is_left() -> None:
    call = calls.amend(an_environment("paper"), "00950", "1234", "00", price=74_900)
    expected = {"ORGN_ODNO": "1234", "RVSE_CNCL_DVSN_CD": "01", "ORD_UNPR": "74900", "QTY_ALL_ORD_YN": "Y"}
    assert {name: call.params[name] for name in expected} == expected


def test_only_orders_amendments_and_cancels_are_sent_once() -> None:
    kinds = {name: make(an_environment()).kind for name, make in EVERY_CALL.items()}
    assert {name for name, kind in kinds.items() if kind is CallKind.ORDER} == {"order", "cancel", "amend"}


def test_questions_about_the_account_are_marked() -> None:
    marked = {name for name, make in EVERY_CALL.items() if make(an_environment()).ledger}
    assert marked == {"order_history", "balance", "buying_power", "live_orders", "sellable"}


def test_a_call_prints_no_account() -> None:
    assert repr(calls.balance(an_environment())) == "Call(inquire-balance, TTTC8434R)"
