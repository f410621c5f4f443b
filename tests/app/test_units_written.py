import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.app import units
from qbtrade.errors import UsageError


@pytest.mark.parametrize("text", ["3%", "3 %", "0.03", "30000000ppb"])
def test_a_rate_may_be_a_percentage_a_share_or_billionths(text: str) -> None:
    assert units.rate("limits.stop_loss", text) == 30_000_000


@pytest.mark.parametrize("text", ["1", "3", "100", "1.5"])
def test_a_bare_rate_that_could_mean_percent_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a percentage"):
        units.rate("limits.stop_loss", text)


def test_digits_of_other_scripts_are_no_digits() -> None:
    for read in (units.whole, units.rate, units.duration, units.speed):
        for text in ("²", "\u0663"):
            with pytest.raises(UsageError):
                read("x", text)


@given(st.integers(0, 10**9))
def test_a_written_rate_reads_back_exactly(ppb: int) -> None:
    assert units.rate("x", units.write_rate(ppb)) == ppb


@given(st.integers(0, 10**8))
def test_a_written_duration_reads_back_exactly(milliseconds: int) -> None:
    assert units.duration("x", units.write_duration(milliseconds * 10**6)) == milliseconds * 10**6


@given(st.integers(0, 10**6))
def test_a_written_speed_reads_back_exactly(speed: int) -> None:
    assert units.speed("x", units.write_speed(speed)) == speed
