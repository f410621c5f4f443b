"""Pages of `qb report`: what they show of the rarer things, and that they fit a terminal."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from qbtrade.app.report import build
from qbtrade.app.sessions import Session
from qbtrade.cli.checks import row_of
from qbtrade.cli.pages import cells
from qbtrade.cli.render_report import SHOWN, page, session_list, sparkline
from qbtrade.cli.render_story import event_line, story
from qbtrade.domain.events import (
    Alert,
    Level,
    RiskState,
    RiskStateChanged,
    Signal,
    StrategyFailed,
    SymbolHalted,
    SymbolResumed,
)
from qbtrade.domain.order import Side
from tests.builders import SAMSUNG, an_order, at
from tests.recordings import Recording, a_traded_day


def shown(content: RenderableType, width: int = 80) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(content)
    return capture.get()


def test_sparkline_runs_from_the_lowest_to_the_highest() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([5, 5, 5]) == "▁▁▁"
    assert sparkline([1]) == "▁"


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=500), st.integers(1, 80))
def test_sparkline_has_at_most_its_width_and_ends_with_the_last_value(values: list[int], width: int) -> None:
    line = sparkline(values, width)
    assert len(line) == min(width, len(values))
    assert sparkline([*values[:-1], max(values) + 1], width)[-1] in {"█", "▁"}


def test_traded_day_fits_a_terminal_of_eighty_columns() -> None:
    text = shown(page(build(a_traded_day().events)))
    assert "…" not in text
    assert all(cells(line.rstrip()) <= 80 for line in text.splitlines())
    assert "+1,654" in text


def test_many_round_trips_are_cut_to_the_last_ones() -> None:
    recording = Recording().start()
    for number in range(SHOWN + 3):
        recording.buy(f"10:{number:02}", f"B{number}", 75_000).sell(f"10:{number:02}", f"S{number}", 75_100)
    text = shown(page(build(recording.end().events)))
    assert "and 3 earlier ones" in text
    assert "11-20 10:22" in text
    assert "11-20 10:02" not in text


def test_rarer_events_of_a_session_are_told() -> None:
    recording = Recording().start()
    recording.events += [
        RiskStateChanged(at("10:00"), "", RiskState.HALTED, "daily-loss", 50_000, 50_100),
        SymbolHalted(at("10:01"), SAMSUNG, "circuit-breaker", "level 1"),
        SymbolResumed(at("10:21"), SAMSUNG, "circuit-breaker"),
        StrategyFailed(at("10:30"), SAMSUNG, "ValueError: [oops]", "line 3, in on_bar"),
        Alert(at("10:31"), Level.CRITICAL, "stale", "no trade for a minute [/]"),
    ]
    text = shown(page(build(recording.end().events)))
    for said in (
        "account: halted (loss of the day) 50,100 / 50,000", "circuit breaker. level 1", "11-20 10:01 - 11-20 10:21",
        "ValueError: [oops]", "line 3, in on_bar", "no trade for a minute [/]",
    ):  # fmt: skip
        assert said in text, said


def test_denial_that_was_furthest_beyond_stands_for_its_reason() -> None:
    recording = Recording().start().deny("10:00", an_order("Q1")).deny("10:01", an_order("Q2"), reason="halted").end()
    text = shown(page(build(recording.events)))
    (line,) = (line for line in text.splitlines() if "one position" in line)
    assert line.split()[-5:] == ["1", "500,000", "750,000", "-250,000", "won"]


def test_list_names_only_the_first_of_many_symbols() -> None:
    session = Session("r", symbols=("005930", "000660", "035420", "005380"), start=at("09:00"), end=at("15:30"))
    assert "005930 000660 +2" in shown(session_list([session], 0))


def test_run_id_from_a_strange_file_name_is_no_markup() -> None:
    assert "[/red]" in shown(session_list([Session("[/red]")], 0))


@pytest.mark.parametrize(
    ("unit", "limit", "value", "distance", "cells"),
    [
        ("KRW", 100_000, 175_000, -75_000, ("100,000", "175,000", "-75,000", "won")),
        ("yes", 1, 0, -1, ("yes", "no", "", "")),
        ("state", 0, 2, -2, ("active", "halted", "", "")),
        ("ns", 60 * 10**9, 90 * 10**9, -30 * 10**9, ("1m 00s", "1m 30s", "-30s", "")),
        (None, None, None, None, ("-", "-", "-", "")),
    ],
)
def test_numbers_of_a_check_are_shown_in_their_own_way(
    unit: str | None, limit: int | None, value: int | None, distance: int | None, cells: tuple[str, ...]
) -> None:
    assert row_of({"unit": unit, "limit": limit, "value": value, "distance": distance}) == cells


def test_event_line_flattens_what_the_event_holds() -> None:
    signal = Signal(at("10:00"), SAMSUNG, Side.BUY, "crossed above", {"fast": "1", "note": "two\nlines"})
    assert event_line(signal) == (
        "2026-11-20 10:00:00.000  SIGNAL              005930             "
        r"side=BUY reason='crossed above' fast=1 note='two\nlines'"
    )


def test_event_line_keeps_zeros_and_leaves_out_what_is_empty() -> None:
    (line,) = (
        event_line(event)
        for event in a_traded_day().events
        if getattr(event, "order_id", "") == "Q2" and hasattr(event, "cost")
    )
    assert "qty=0 cost=0 realized=2000" in line
    assert "repriced_from" not in line


def test_story_of_a_replaced_order_shows_the_whole_chain() -> None:
    first = {
        "order_id": "Q1", "symbol": SAMSUNG, "side": "SELL", "purpose": "PROTECT", "kind": "LIMIT", "qty": 3,
        "price": 74_900, "status": "CANCELED", "reason": "reprice", "filled_qty": 1, "filled_amount": 74_900,
        "commission": 10, "tax": 149, "slippage": 100, "signal": "stop [loss]",
    }  # fmt: skip
    second = {
        **first,
        "order_id": "Q2",
        "price": 0,
        "kind": "MARKET",
        "status": "FILLED",
        "reason": "",
        "filled_qty": 2,
    }
    told = {
        "run_id": "r",
        "order": first,
        "signal": None,
        "checks": [],
        "chain": [first, second],
        "fills": [],
        "steps": [],
    }
    text = shown(story(told))
    assert "stop [loss]" in text
    assert "Q1  74,900  canceled, 1 of 3 filled" in text
    assert "1 of 3 filled for 74,900 won" in text
    assert "sell 3 x 005930 at market" in shown(story({**told, "order": {**first, "price": 0, "kind": "MARKET"}}))


def test_words_of_a_broker_are_no_markup() -> None:
    told_steps = [{"ts": "2026-11-20T10:00:00+09:00", "type": "ORDER_REJECTED", "code": "40", "reason": "no [/]"}]
    order = build(a_traded_day().events)["orders"][0]
    told = {"run_id": "r", "order": order, "signal": None, "checks": [], "chain": [], "fills": [], "steps": told_steps}
    assert "no [/]" in shown(story(told))


def test_outcome_of_an_unfinished_session_is_said() -> None:
    recording = Recording().start()
    assert "unfinished" in shown(page(build(recording.events)))


def test_event_line_names_the_checks_of_a_verdict() -> None:
    recording = Recording().start().deny("10:00", an_order("Q1"))
    assert event_line(recording.events[-1]).endswith("Q1        reason=position-share checks=budget,position-share")
