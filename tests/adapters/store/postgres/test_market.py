"""Trades and bars in PostgreSQL: there once, as they were told, and read back in order."""

import threading
from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qbtrade.adapters.store.postgres import market
from qbtrade.adapters.store.postgres.market import Loaded, held, load_bars, load_trades, read_bars, read_trades
from qbtrade.adapters.store.postgres.migrations import upgrade
from qbtrade.domain.calendar import DAY, MINUTE
from qbtrade.domain.market import Bar, Trade
from qbtrade.errors import DatabaseError
from tests.builders import SAMSUNG, at

OTHER = "000660"
START = at("09:00", date(2026, 11, 30))
EVER = START + 1000 * DAY


@pytest.fixture
def memory(database: str) -> str:
    upgrade(database)
    return database


def a_day(start: int = START, count: int = 50, price: int = 70_000) -> list[Trade]:
    """Trades of two symbols, some in the same nanosecond, with times that are no whole microseconds."""
    return [
        Trade(start + number // 3 * 1_000_001, (SAMSUNG, OTHER)[number % 2], price + number, number, number % 7 == 0)
        for number in range(count)
    ]


def in_order(trades: list[Trade]) -> list[Trade]:
    return sorted(trades, key=lambda trade: (trade.ts, trade.symbol))


def test_trades_come_back_as_they_were_told_however_often_they_are_loaded(
    memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(market, "CHUNK", 7)
    trades = a_day() + a_day(START + DAY) + a_day(START + 40 * DAY)

    assert load_trades(memory, "recorded", trades) == Loaded(150)
    assert load_trades(memory, "recorded", iter(trades)) == Loaded(150, replaced=150)
    assert list(read_trades(memory, [SAMSUNG, OTHER], start=0, end=EVER)) == in_order(trades)


def test_a_day_is_replaced_for_its_symbol_and_source_alone(memory: str) -> None:
    load_trades(memory, "recorded", a_day() + a_day(START + DAY))
    load_trades(memory, "mine.csv", a_day(price=1))
    new = [trade for trade in a_day(price=50_000) if trade.symbol == SAMSUNG]

    assert load_trades(memory, "recorded", new) == Loaded(25, replaced=25)
    expected = [*new, *(trade for trade in a_day() if trade.symbol == OTHER), *a_day(START + DAY)]
    assert list(read_trades(memory, [SAMSUNG, OTHER], source="recorded", start=0, end=EVER)) == in_order(expected)
    with pytest.raises(DatabaseError, match=r"several sources hold trades of this span: mine\.csv, recorded"):
        list(read_trades(memory, [SAMSUNG], start=0, end=EVER))
    assert list(read_trades(memory, [SAMSUNG], start=START + DAY, end=START + 2 * DAY)) == [
        trade for trade in a_day(START + DAY) if trade.symbol == SAMSUNG
    ]
    assert [(each.symbol, each.source, each.rows) for each in held(memory)] == [
        (OTHER, "mine.csv", 25), (OTHER, "recorded", 50), (SAMSUNG, "mine.csv", 25), (SAMSUNG, "recorded", 50),
    ]  # fmt: skip


def test_the_span_is_half_open_to_the_nanosecond(memory: str) -> None:
    trades = [Trade(START + ns, SAMSUNG, 70_000, 1) for ns in range(0, 4000, 250)]
    load_trades(memory, "recorded", trades)
    for start, end in ((START + 250, START + 1750), (START + 999, START + 1001), (START, START)):
        found = list(read_trades(memory, [SAMSUNG], start=start, end=end))
        assert found == [trade for trade in trades if start <= trade.ts < end]


def test_a_load_that_fails_leaves_what_was_there(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market, "CHUNK", 7)
    load_trades(memory, "recorded", a_day())

    def torn() -> Iterator[Trade]:
        yield from a_day(price=1)
        raise ValueError("the file is torn")

    with pytest.raises(ValueError, match="torn"):
        load_trades(memory, "recorded", torn())
    with psycopg.connect(memory) as other, pytest.raises(DatabaseError, match="ended the connection"):
        load_trades(memory, "recorded", _until_killed(other))
    assert list(read_trades(memory, [SAMSUNG, OTHER], start=0, end=EVER)) == in_order(a_day())


def _until_killed(other: psycopg.Connection) -> Iterator[Trade]:
    yield from a_day(price=1)
    other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'qb'")
    yield from a_day(price=2)


def test_two_loads_of_one_day_at_once_leave_it_there_once(memory: str) -> None:
    threads = [threading.Thread(target=load_trades, args=(memory, "recorded", a_day(count=5000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(read_trades(memory, [SAMSUNG, OTHER], start=0, end=EVER)) == in_order(a_day(count=5000))


def some_bars(start: int = START, interval: int = MINUTE, price: int = 70_000) -> list[Bar]:
    return [
        Bar(begin + interval, symbol, begin, price, price + 9, price - 9, price + number, number)
        for number in range(20)
        for begin in [start + number * interval]
        for symbol in (OTHER, SAMSUNG)
    ]


def test_bars_are_there_once_and_the_later_telling_wins(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market, "CHUNK", 7)
    minutes, days = some_bars(), some_bars(START, DAY)
    load_bars(memory, "kis", [*minutes, *days, *minutes], adjusted=False)
    assert list(read_bars(memory, [SAMSUNG, OTHER], MINUTE, start=0, end=EVER)) == minutes
    assert list(read_bars(memory, [SAMSUNG, OTHER], DAY, start=0, end=EVER)) == days

    corrected = some_bars(price=60_000)[10:30]
    assert load_bars(memory, "kis", [*minutes[10:30], *corrected], adjusted=True) == Loaded(40, changed=40)
    assert list(read_bars(memory, [SAMSUNG, OTHER], MINUTE, start=0, end=EVER)) == [
        *minutes[:10],
        *corrected,
        *minutes[30:],
    ]
    assert [(each.symbol, each.interval, each.adjusted, each.rows) for each in held(memory)] == [
        (OTHER, MINUTE, True, 20), (OTHER, DAY, False, 20), (SAMSUNG, MINUTE, True, 20), (SAMSUNG, DAY, False, 20),
    ]  # fmt: skip


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    prices=st.lists(st.integers(1, 2**62), min_size=1, max_size=20),
    ts=st.integers(0, 2_000 * 365 * DAY // 10),
)
def test_any_time_and_price_survives(memory: str, prices: list[int], ts: int) -> None:
    trades = [Trade(ts + number, SAMSUNG, price, price) for number, price in enumerate(prices)]
    load_trades(memory, "any", trades)
    found = list(read_trades(memory, [SAMSUNG], start=ts, end=ts + len(prices)))
    assert found == trades
