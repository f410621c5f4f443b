import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.cli import figures
from tests.builders import at


def test_won_has_thousands_separators_and_profit_its_sign() -> None:
    assert [figures.won(1_234_567), figures.won(0)] == ["1,234,567", "0"]
    assert [figures.signed(1_200), figures.signed(-1_200), figures.signed(0)] == ["+1,200", "-1,200", "0"]


def test_percentages_have_two_decimals() -> None:
    assert figures.percent(5_330_000) == "0.53%"
    assert [figures.percent(ppb, sign=True) for ppb in (5_330_000, -5_330_000, 0)] == ["+0.53%", "-0.53%", "0.00%"]


def test_times_are_korean() -> None:
    assert figures.clock(at("09:31:30.9")) == "09:31:30"
    assert figures.stamp(at("09:31:30")) == "2026-11-20 09:31:30"


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0.0s"), (0.44, "0.4s"), (9.9, "9.9s"), (59.9, "59s"), (65, "1m 05s"), (7_800, "2h 10m")]
)
def test_ages_get_coarser(seconds: float, text: str) -> None:
    assert figures.age(int(seconds * 10**9)) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (12.31, "12.3"), (950, "950"), (1_234, "1.23K"), (412_345, "412K"), (2_150_000, "2.15M"), (3e9, "3G")],
)
def test_rates_have_three_figures(number: float, text: str) -> None:
    assert figures.short(number) == text


def test_a_share_of_no_limit_is_a_dash() -> None:
    assert [figures.share(75, 100), figures.share(1, 0), figures.share(250, 100)] == ["75%", "-", "250%"]


@given(st.integers(-(10**9), 10**12), st.integers(0, 10**12), st.integers(1, 40))
def test_a_gauge_always_fills_its_cells(used: int, limit: int, width: int) -> None:
    bar = figures.gauge(used, limit, width)
    assert len(bar) == width
    assert bar.strip("▆").strip("▁") == ""


def test_a_gauge_shows_a_little_use_and_is_full_only_at_the_limit() -> None:
    assert figures.gauge(1, 1_000, 10) == "▆▁▁▁▁▁▁▁▁▁"
    assert figures.gauge(0, 1_000, 10) == "▁▁▁▁▁▁▁▁▁▁"
    assert figures.gauge(1_000, 1_000, 10) == "▆▆▆▆▆▆▆▆▆▆"


def test_up_is_red_and_down_is_blue_in_korean_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [figures.colour(amount) for amount in (1, 0, -1)] == ["green", "", "red"]
    monkeypatch.setenv("QB_LANG", "ko")
    assert [figures.colour(amount) for amount in (1, 0, -1)] == ["red", "", "blue"]
    assert [figures.arrow(amount) for amount in (1, 0, -1)] == ["▲", " ", "▼"]
