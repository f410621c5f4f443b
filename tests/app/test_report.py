"""The report: everything it says follows from the events, to the won."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from msgspec.structs import replace

from qbtrade.app.export import schema
from qbtrade.app.report import UNFINISHED, build, encode
from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import (
    Alert,
    CancelRejected,
    EquityMarked,
    Held,
    Level,
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderCanceling,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSending,
    OrderUnconfirmed,
    Outcome,
    RiskState,
    RiskStateChanged,
    SessionEnded,
    SessionStarted,
    StrategyFailed,
    SubmitOrder,
    SymbolHalted,
    SymbolResumed,
    TickQuarantined,
)
from qbtrade.domain.message import Event
from qbtrade.domain.order import Side
from qbtrade.errors import JournalError
from tests.builders import SAMSUNG, an_order, at
from tests.recordings import Recording, a_traded_day

KEYS = [
    "schema_version", "session", "limits", "counts", "account", "orders", "fills", "round_trips", "denials", "alerts",
    "corrections", "equity_curve", "metrics", "timing",
]  # fmt: skip
SCHEMA = schema()


def checked(report: dict[str, Any]) -> dict[str, Any]:
    Draft202012Validator(SCHEMA).validate(json.loads(encode(report)))
    return report


def built(*events: Event) -> dict[str, Any]:
    """The report of a started and ended session with these events in it."""
    recording = Recording().start()
    recording.events += events
    return checked(build(recording.end().events))


def status_of(*steps: Event) -> tuple[str, str]:
    order = an_order("Q1", qty=2)
    ts = at("10:00")
    sent = [SubmitOrder(ts, order), OrderApproved(ts, order, ()), OrderSending(ts, order)]
    (row,) = built(*sent, *steps)["orders"]
    return row["status"], row["reason"]


def test_schema_itself_is_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_traded_day_has_exactly_the_published_keys_and_fits_the_schema() -> None:
    assert list(checked(build(a_traded_day().events))) == KEYS


def test_schema_allows_no_key_beyond_the_published_ones() -> None:
    loose = [
        name
        for name, part in SCHEMA["$defs"].items()
        if part.get("type") == "object" and part.get("additionalProperties")
    ]
    assert loose == ["counts"]  # counters are added without a new schema
    assert SCHEMA["additionalProperties"] is False


def test_account_agrees_with_the_fills_to_the_won() -> None:
    # 2 x 75,000 -> 76,000; 76,000 -> 75,500; 1 x 75,000 kept. Commission 0.0140527 % of 150,000 152,000 76,000 75,500
    # and 75,000, each cut to the won: 21 + 21 + 10 + 10 + 10. Tax 0.2 % of 152,000 and 75,500: 304 + 151.
    assert build(a_traded_day().events)["account"] == {
        "initial_cash": 10_000_000,
        "initial_equity": 10_000_000,
        "cash": 10_000_000 + 2_000 - 500 - 75_000 - 72 - 455,
        "equity": 10_000_000 + 2_000 - 500 - 75_000 - 72 - 455 + 75_400,
        "realized": 1_500,
        "unrealized": 400,
        "commission": 72,
        "tax": 455,
        "positions": [{"symbol": SAMSUNG, "qty": 1, "cost": 75_000, "last": 75_400}],
    }


def test_round_trip_carries_its_costs_apart() -> None:
    assert build(a_traded_day().events)["round_trips"][0] == {
        "symbol": SAMSUNG,
        "entry_ts": "2026-11-20T09:30:00+09:00",
        "exit_ts": "2026-11-20T10:30:00+09:00",
        "qty": 2,
        "cost": 150_000,
        "proceeds": 152_000,
        "gross": 2_000,
        "commission": 42,
        "tax": 304,
        "slippage": 400,
        "net": 1_654,
        "return_ppb": 11_026_666,
        "holding_ns": 3_600_000_000_000,
        "exit_purpose": "EXIT",
    }


def test_fill_has_the_published_keys_and_its_own_costs() -> None:
    assert build(a_traded_day().events)["fills"][1] == {
        "ts": "2026-11-20T10:30:00+09:00",
        "order_id": "Q2",
        "symbol": SAMSUNG,
        "side": "SELL",
        "qty": 2,
        "price": 76_000,
        "commission": 21,
        "tax": 304,
    }


def test_denial_names_limit_value_and_distance() -> None:
    assert build(a_traded_day().events)["denials"] == [
        {
            "ts": "2026-11-20T10:40:00+09:00",
            "order_id": "Q6",
            "symbol": SAMSUNG,
            "reason": "position-share",
            "rule": "position-share",
            "limit": 500_000,
            "value": 750_000,
            "distance": -250_000,
            "unit": "KRW",
        }
    ]


def test_denial_without_checks_says_its_reason_alone() -> None:
    (denial,) = built(OrderDenied(at("10:00"), "Q1", SAMSUNG, "halted", ()))["denials"]
    assert (denial["reason"], denial["rule"], denial["limit"], denial["unit"]) == ("halted", None, None, None)


def test_partly_filled_and_canceled_order_keeps_what_was_filled() -> None:
    order = build(a_traded_day().events)["orders"][-1]
    assert (order["status"], order["reason"], order["filled_qty"], order["qty"]) == ("CANCELED", "lifetime", 1, 3)
    assert (order["filled_amount"], order["commission"], order["tax"], order["slippage"]) == (75_000, 10, 0, 100)


def test_counts_are_those_of_the_journal_and_then_those_that_the_session_counted() -> None:
    counts = build(a_traded_day().events)["counts"]
    assert (counts["signals"], counts["orders"], counts["denied"], counts["fills"]) == (1, 6, 1, 5)
    assert (counts["round_trips"], counts["trades"], counts["bars"]) == (2, 20_000, 390)


def test_quarantined_ticks_are_counted_by_reason() -> None:
    ticks = [TickQuarantined(at("10:00"), SAMSUNG, 0, 1, reason) for reason in ("spike", "zero-price", "spike")]
    counts = built(*ticks)["counts"]
    assert (counts["quarantined"], counts["quarantined_by_reason"]) == (3, {"spike": 2, "zero-price": 1})


def test_quarantined_ticks_that_the_session_counted_without_writing_them_down_are_counted_too() -> None:
    recording = Recording().start().end()
    ended = recording.events.pop()
    assert isinstance(ended, SessionEnded)
    recording.events.append(replace(ended, counts={"quarantined spike": 4, "quarantined halted": 9, "bars": 1}))
    counts = checked(build(recording.events))["counts"]
    assert (counts["quarantined"], counts["quarantined_by_reason"]) == (13, {"halted": 9, "spike": 4})
    assert (counts["bars"], "quarantined spike" in counts) == (1, False)


def test_session_without_its_end_is_unfinished_and_valued_at_its_last_fills() -> None:
    report = checked(build(Recording().start().buy("10:00", "Q1", 75_000).events))
    assert report["session"]["outcome"] == UNFINISHED
    assert report["session"]["end"] == "2026-11-20T10:00:00+09:00"
    assert report["account"]["positions"][0]["last"] == 75_000
    assert report["timing"] == {
        "run_id": "20261120-090000-abcd",
        "journal_hash": None,
        "wall_seconds": None,
        "events": None,
        "events_per_second": None,
        "peak_memory_bytes": None,
    }


def test_fill_that_was_not_booked_any_more_shows_in_its_order() -> None:
    report = checked(build(Recording().start().buy("10:00", "Q1", 75_000).events[:-1]))
    assert report["orders"][0]["status"] == "FILLED"
    assert (report["counts"]["fills"], report["fills"]) == (1, [])


def test_events_without_a_start_are_no_session() -> None:
    with pytest.raises(JournalError, match="SESSION_STARTED"):
        build([])


def test_outcome_and_reason_of_the_end_are_kept() -> None:
    report = checked(build(Recording().start().end(outcome=Outcome.FAULT).events))
    assert report["session"]["outcome"] == "FAULT"


def test_failure_of_a_strategy_keeps_its_traceback() -> None:
    failure = StrategyFailed(at("10:00"), SAMSUNG, "ValueError: no", "Traceback: line 3")
    assert built(failure)["session"]["strategy_failures"] == [
        {
            "ts": "2026-11-20T10:00:00+09:00",
            "symbol": SAMSUNG,
            "error": "ValueError: no",
            "traceback": "Traceback: line 3",
        }
    ]


def test_risk_states_are_listed_with_their_numbers() -> None:
    change = RiskStateChanged(at("10:00"), "", RiskState.HALTED, "daily-loss", 50_000, 50_001)
    assert built(change)["session"]["risk_changes"] == [
        {
            "ts": "2026-11-20T10:00:00+09:00", "symbol": "", "state": "HALTED", "reason": "daily-loss", "limit": 50_000,
            "value": 50_001,
        }
    ]  # fmt: skip


def test_halt_knows_when_it_was_resumed() -> None:
    halts = built(
        SymbolHalted(at("10:00"), SAMSUNG, "vi", "static"),
        SymbolResumed(at("10:02"), SAMSUNG, "vi"),
        SymbolHalted(at("10:05"), SAMSUNG, "vi", "static"),
    )["session"]["halts"]
    assert [halt["resumed"] for halt in halts] == ["2026-11-20T10:02:00+09:00", None]


def test_alerts_and_equity_marks_are_listed_in_order() -> None:
    report = built(
        Alert(at("10:00"), Level.WARNING, "stale", "no trade", "check the feed"), EquityMarked(at("10:01"), 9, 9, 0)
    )
    assert report["alerts"] == [
        {
            "ts": "2026-11-20T10:00:00+09:00",
            "level": "WARNING",
            "code": "stale",
            "text": "no trade",
            "action": "check the feed",
        }
    ]
    assert report["equity_curve"] == [{"ts": "2026-11-20T10:01:00+09:00", "equity": 9}]


def test_equity_mark_written_late_does_not_move_the_end_back() -> None:
    recording = Recording().start().phase("15:30", Phase.CLOSED)
    recording.events.append(EquityMarked(at("15:29"), 9, 9, 0))
    assert build(recording.events)["session"]["end"] == "2026-11-20T15:30:00+09:00"


T = at("10:01")
FILL = OrderFilled(T, "Q1", SAMSUNG, Side.BUY, 75_000, 1)


@pytest.mark.parametrize(
    ("steps", "status", "reason"),
    [
        ([], "SENDING", ""),
        ([OrderAccepted(T, "Q1", "7")], "WORKING", ""),
        ([OrderRejected(T, "Q1", "40", "no")], "REJECTED", "no"),
        ([OrderUnconfirmed(T, "Q1", "timeout")], "UNCONFIRMED", "timeout"),
        ([OrderUnconfirmed(T, "Q1", "timeout"), OrderAccepted(T, "Q1", "7")], "WORKING", ""),
        ([FILL, OrderAccepted(T, "Q1", "7")], "PARTLY_FILLED", ""),
        ([OrderAccepted(T, "Q1", "7"), FILL, FILL], "FILLED", ""),
        ([OrderAccepted(T, "Q1", "7"), OrderCanceling(T, "Q1", "late")], "CANCELING", "late"),
        ([OrderAccepted(T, "Q1", "7"), OrderCanceling(T, "Q1", "late"), FILL], "CANCELING", "late"),
        ([OrderAccepted(T, "Q1", "7"), OrderCanceling(T, "Q1", "late"), CancelRejected(T, "Q1", "x")], "WORKING", "x"),
        ([FILL, OrderCanceling(T, "Q1", "late"), CancelRejected(T, "Q1", "x")], "PARTLY_FILLED", "x"),
        ([FILL, OrderCanceling(T, "Q1", "late"), FILL, CancelRejected(T, "Q1", "x")], "FILLED", ""),
        ([OrderAccepted(T, "Q1", "7"), OrderCanceled(T, "Q1", 2, "asked"), FILL, FILL], "FILLED", ""),
        ([OrderAccepted(T, "Q1", "7"), OrderExpired(T, "Q1", 2), CancelRejected(T, "Q1", "x")], "EXPIRED", ""),
    ],
)
def test_order_ends_where_its_events_led_it(steps: list[Event], status: str, reason: str) -> None:
    assert status_of(*steps) == (status, reason)


def test_events_of_an_unknown_order_change_nothing() -> None:
    assert built(OrderAccepted(T, "Q9", "7"), FILL)["orders"] == []


def test_same_events_give_the_same_bytes() -> None:
    assert encode(build(a_traded_day().events)) == encode(build(a_traded_day().events))


def test_file_is_indented_utf8_with_a_newline_at_the_end() -> None:
    text = encode({"name": "삼성전자", "rate": 1.5}).decode()
    assert text == '{\n  "name": "삼성전자",\n  "rate": 1.5\n}\n'


steps = st.lists(st.tuples(st.booleans(), st.integers(1_000, 200_000), st.integers(1, 50)), max_size=40)


@given(steps)
def test_books_balance_and_agree_with_fills_and_round_trips(steps: list[tuple[bool, int, int]]) -> None:
    recording = Recording(cash=10**9).start()
    held = 0
    for number, (wants_to_sell, price, qty) in enumerate(steps):
        clock = f"10:{number:02}"
        if wants_to_sell and held:
            recording.sell(clock, f"Q{number}", price, min(qty, held))
            held -= min(qty, held)
        else:
            recording.buy(clock, f"Q{number}", price, qty)
            held += qty
    report = checked(build(recording.end(last={SAMSUNG: 75_000}).events))
    account, fills, trips = report["account"], report["fills"], report["round_trips"]
    cost = sum(position["cost"] for position in account["positions"])
    assert account["cash"] + cost == 10**9 + account["realized"] - account["commission"] - account["tax"]
    assert account["equity"] == account["cash"] + held * 75_000 == account["cash"] + cost + account["unrealized"]
    assert account["commission"] == sum(fill["commission"] for fill in fills)
    assert account["tax"] == sum(fill["tax"] for fill in fills)
    assert report["metrics"]["turnover"] == sum(fill["qty"] * fill["price"] for fill in fills)
    if not held:
        assert sum(trip["net"] for trip in trips) == account["equity"] - 10**9
        assert sum(trip["slippage"] for trip in trips) == sum(order["slippage"] for order in report["orders"])


def test_every_key_of_the_schema_says_what_it_means() -> None:
    parts = {"report": SCHEMA, **SCHEMA["$defs"]}
    silent = [
        f"{name}.{key}"
        for name, part in parts.items()
        for key, prop in part.get("properties", {}).items()
        if not ("description" in prop or "description" in SCHEMA["$defs"][prop["$ref"].rpartition("/")[2]])
    ]
    assert silent == []


def test_shares_of_an_earlier_session_are_no_profit_of_this_one() -> None:
    recording = Recording().start()
    started, *others = recording.events
    assert isinstance(started, SessionStarted)
    held = {SAMSUNG: Held(2, 150_000, 75_000, 75_100), "000660": Held(1, 200_000, 210_000)}
    recording.events = [replace(started, held=held), *others]
    report = checked(build(recording.end(last={SAMSUNG: 75_000, "000660": 210_000}).events))
    account = report["account"]
    assert account["initial_equity"] == 10_000_000 + 2 * 75_100 + 210_000
    assert account["equity"] - account["initial_equity"] == report["metrics"]["profit"] == -200
