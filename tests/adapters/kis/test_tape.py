from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from qbtrade.adapters.kis.tape import Tape

DAY = "20261120"


def accepted(tape: Tape, prints: Sequence[tuple[int, int]], *, ts: int = 1) -> list[bool]:
    """prints: (qty, cumulative volume)."""
    return [tape.accepts("005930", DAY, ts, qty, volume) for qty, volume in prints]


def test_trades_that_follow_on_are_new_and_their_repeats_are_not() -> None:
    tape = Tape()
    assert accepted(tape, [(5, 100), (3, 103), (3, 103), (5, 100), (1, 104)]) == [True, True, False, False, True]
    assert (tape.repeats, tape.missed_volume) == (2, 0)


def test_a_trade_that_comes_late_fills_the_hole_that_it_left() -> None:
    tape = Tape()
    assert accepted(tape, [(5, 100), (5, 120), (10, 115), (10, 115), (5, 105)]) == [True, True, True, False, True]
    assert (tape.late, tape.repeats, tape.missed_volume) == (2, 1, 0)


def test_what_only_overlaps_a_hole_is_a_repeat() -> None:
    tape = Tape()
    assert accepted(tape, [(5, 100), (5, 120), (8, 118), (8, 103)]) == [True, True, False, False]
    assert tape.missed_volume == 15


def test_an_expected_price_is_a_trade_only_when_the_volume_grew() -> None:
    tape = Tape()
    assert not tape.accepts("005930", DAY, 1, 10, 100, expected=True)
    assert not tape.accepts("005930", DAY, 2, 10, 100, expected=True)
    assert tape.accepts("005930", DAY, 3, 10, 110, expected=True)


def test_a_count_that_falls_while_time_moves_on_began_again() -> None:
    tape = Tape()
    assert accepted(tape, [(5, 1_000)], ts=1) + accepted(tape, [(5, 5), (4, 9)], ts=2) == [True, True, True]
    assert tape.restarts == 1


def test_each_day_and_symbol_counts_for_itself() -> None:
    tape = Tape()
    assert tape.accepts("005930", DAY, 1, 5, 100)
    assert tape.accepts("000660", DAY, 1, 5, 100)
    assert tape.accepts("005930", "20261123", 1, 5, 100)


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=30).flatmap(
        lambda sizes: st.tuples(st.just(sizes), st.lists(st.integers(0, len(sizes) - 1), max_size=60))
    )
)
def test_in_whatever_order_and_however_often_prints_come_each_counts_once(case: tuple[list[int], list[int]]) -> None:
    sizes, order = case
    prints = [(size, sum(sizes[: at + 1])) for at, size in enumerate(sizes)]
    tape = Tape()
    tape.accepts("005930", DAY, 1, 1, 0, expected=True)  # where the count stands before the first of them
    seen = [at for at in order if tape.accepts("005930", DAY, 1, *prints[at])]
    assert sorted(seen) == sorted(set(order))
