import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.app import units
from qbtrade.errors import UsageError


@pytest.mark.parametrize("text", ["100000", "100_000", "100,000", " 100000 "])
def test_a_whole_number_may_have_separators(text: str) -> None:
    assert units.whole("--max", text) == 100_000


@pytest.mark.parametrize("text", ["", "1.5", "1e5", "10,00", "1,0000", "1__000", "x", "nan", "٣"])
def test_what_is_no_whole_number_is_refused_with_the_flag(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--max: .* is not a whole number"):
        units.whole("--max", text)


def test_a_whole_number_has_bounds() -> None:
    assert units.whole("--days", "1", least=1, most=3) == 1
    assert units.whole("--days", "3", least=1, most=3) == 3
    for text in ("0", "4"):
        with pytest.raises(UsageError, match=rf"--days: {text} is outside 1 to 3"):
            units.whole("--days", text, least=1, most=3)


@pytest.mark.parametrize(
    ("text", "ppb"), [("3%", 30_000_000), ("0.0140527 %", 140_527), ("0", 0), ("100%", 10**9), ("0.0000001%", 1)]
)
def test_a_rate_is_read_exactly(text: str, ppb: int) -> None:
    assert units.rate("--stop-loss", text) == ppb


@pytest.mark.parametrize("text", ["", "3", "%", "-3%", "three%", "3%%", "inf%", "0.00000001%", "101%"])
def test_what_is_no_rate_is_refused_with_the_flag(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--stop-loss: "):
        units.rate("--stop-loss", text)


@given(st.integers(0, 10**9))
def test_a_rate_survives_being_written(ppb: int) -> None:
    assert units.rate("x", units.write_rate(ppb)) == ppb


@pytest.mark.parametrize(
    ("text", "ns"),
    [("50ms", 50 * 10**6), ("30s", 30 * 10**9), ("1m", 60 * 10**9), ("1H", 3600 * 10**9), ("1d", 86_400 * 10**9)],
)
def test_a_duration_has_a_unit(text: str, ns: int) -> None:
    assert units.duration("--bar", text) == ns


def test_a_number_alone_counts_in_the_unit_that_the_flag_names() -> None:
    assert units.duration("--status-every", "30", bare="s") == 30 * 10**9
    with pytest.raises(UsageError, match=r"^--bar: '30' is not a duration"):
        units.duration("--bar", "30")


@given(st.integers(1, 10**6), st.sampled_from(sorted(units.NS_OF)))
def test_a_duration_survives_being_written(count: int, unit: str) -> None:
    ns = count * units.NS_OF[unit]
    assert units.duration("x", units.write_duration(ns)) == ns


def test_speed_is_max_or_a_positive_whole_number() -> None:
    assert [units.speed("--speed", text) for text in ("max", "MAX", "1", "60")] == [0, 0, 1, 60]
    for text in ("0", "-1", "1.5", "fast", ""):
        with pytest.raises(UsageError, match=r"^--speed: "):
            units.speed("--speed", text)
