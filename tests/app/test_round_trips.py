"""Round trips: cut where a position returns to nothing, whatever happens in between."""

from typing import Any

from qbtrade.app.report import build
from qbtrade.domain.events import PositionChanged
from qbtrade.domain.order import Purpose, Side
from tests.builders import SAMSUNG, an_order, at
from tests.recordings import Recording


def trips_of(recording: Recording) -> list[dict[str, Any]]:
    trips: list[dict[str, Any]] = build(recording.end().events)["round_trips"]
    return trips


def test_several_buys_and_sales_make_one_round_trip() -> None:
    recording = Recording().start().buy("10:00", "Q1", 75_000, 2).buy("10:10", "Q2", 76_000, 1)
    recording.sell("10:20", "Q3", 77_000, 1).sell("10:30", "Q4", 74_000, 2)
    (trip,) = trips_of(recording)
    assert (trip["qty"], trip["cost"], trip["proceeds"]) == (3, 226_000, 225_000)
    assert trip["gross"] == -1_000 == trip["proceeds"] - trip["cost"]
    assert trip["net"] == trip["gross"] - trip["commission"] - trip["tax"]
    assert (trip["entry_ts"][11:16], trip["exit_ts"][11:16]) == ("10:00", "10:30")


def test_open_position_is_no_round_trip() -> None:
    assert trips_of(Recording().start().buy("10:00", "Q1", 75_000, 2).sell("10:10", "Q2", 75_000, 1)) == []


def test_symbols_are_cut_apart() -> None:
    recording = Recording().start()
    hynix_in = an_order("Q2", symbol="000660", price=200_000)
    hynix_out = an_order("Q3", symbol="000660", price=210_000, side=Side.SELL, purpose=Purpose.PROTECT)
    recording.buy("10:00", "Q1", 75_000).send("10:01", hynix_in).fill("10:01", hynix_in, 200_000, 1)
    recording.send("10:02", hynix_out).fill("10:02", hynix_out, 210_000, 1).sell("10:03", "Q4", 75_000)
    assert [(trip["symbol"], trip["gross"], trip["exit_purpose"]) for trip in trips_of(recording)] == [
        ("000660", 10_000, "PROTECT"),
        (SAMSUNG, 0, "EXIT"),
    ]


def test_slippage_is_signed_against_us_on_both_sides() -> None:
    recording = Recording().start()
    cheap_in = an_order("Q1", price=75_000, reference=75_200)
    dear_out = an_order("Q2", price=75_000, reference=74_700, side=Side.SELL)
    recording.send("10:00", cheap_in).fill("10:00", cheap_in, 75_100, 1)
    recording.send("10:01", dear_out).fill("10:01", dear_out, 74_900, 1)
    (trip,) = trips_of(recording)
    assert trip["slippage"] == -100 - 200


def test_order_without_reference_has_no_slippage() -> None:
    recording = Recording().start()
    order = an_order("Q1", reference=0)
    recording.send("10:00", order).fill("10:00", order, 75_100, 1).sell("10:01", "Q2", 75_100)
    assert trips_of(recording)[0]["slippage"] == 100


def test_shares_held_before_the_session_leave_with_the_cost_that_the_books_gave_them() -> None:
    recording = Recording().start()
    recording.events.append(
        PositionChanged(at("10:00"), SAMSUNG, 0, 0, 5_000, 10, 150, 0, "Q1", Side.SELL, 75_000, 1, Purpose.EXIT)
    )
    (trip,) = trips_of(recording)
    assert (trip["qty"], trip["cost"], trip["gross"], trip["net"]) == (1, 70_000, 5_000, 4_840)
