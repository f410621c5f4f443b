"""Every execution could have happened: inside its bar, price limits, tick grid, share of volume, and at its price."""

import pytest

from tests.oracle.conftest import Play
from tests.oracle.runs import Run

every_run = pytest.mark.parametrize("name", ["samsung", "six", "split", "years", "funds", "every print"])

MET = """
CREATE OR REPLACE TABLE met AS
SELECT f.*, p.ts AS printed_at, p.k, p.price AS printed, p.qty AS volume, p.open, p.low, p.high, p.start, p.till,
    p.grid, w.purpose, w.price AS bound, w.ts AS made, band.lower, band.upper,
    IF(is_buy, tick_up(grid, p.price), tick_down(grid, p.price)) AS beyond, f.ts = w.ts + 50000000 AS is_on_arrival
FROM fill AS f
ASOF JOIN (FROM print WHERE is_good) AS p ON f.symbol = p.symbol AND f.ts >= p.ts
JOIN wish AS w ON w.order_id = f.order_id
JOIN band ON band.symbol = f.symbol AND band.day = p.day
"""
"""Each execution with the newest print before it. beyond: one tick worse than the print."""
BREAKERS = """
SELECT count(*) FROM fill JOIN listing USING (symbol) JOIN (VALUES
    ('KOSDAQ', TIMESTAMP '2020-03-13 09:05', TIMESTAMP '2020-03-13 09:30'),
    ('KOSPI', TIMESTAMP '2020-03-13 10:45', TIMESTAMP '2020-03-13 11:10'),
    ('KOSPI', TIMESTAMP '2020-03-19 12:10', TIMESTAMP '2020-03-19 12:35'),
    ('KOSDAQ', TIMESTAMP '2020-03-19 12:10', TIMESTAMP '2020-03-19 12:35')
) AS breaker(market, since, until)
ON breaker.market = listing.market
    AND ts BETWEEN epoch_ns(since) - 32400000000000 AND epoch_ns(until) + {} - 32400000000001
"""


def strange(run: Run, condition: str) -> list[tuple[object, ...]]:
    """Executions of which something holds that never may."""
    run.db.execute(MET)
    return run.rows(f"SELECT order_id, ts, side, qty, price, printed, printed_at, till FROM met WHERE {condition}")


@every_run
def test_prices_lie_inside_the_bar_give_or_take_one_tick(name: str, play: Play) -> None:
    assert strange(play(name), "price NOT BETWEEN tick_down(grid, low) AND tick_up(grid, high)") == []


@every_run
def test_executions_happen_while_their_bar_lasts(name: str, play: Play) -> None:
    assert strange(play(name), "ts NOT BETWEEN start AND till - 1") == []


@every_run
def test_prices_lie_on_the_tick_grid_of_their_day(name: str, play: Play) -> None:
    assert strange(play(name), "price % tick_of(grid, price) <> 0") == []


@every_run
def test_prices_lie_inside_the_price_limits_around_the_close_before(name: str, play: Play) -> None:
    run = play(name)
    assert strange(run, "price NOT BETWEEN lower AND upper") == []
    assert run.row("SELECT count(*) = 0 FROM met WHERE lower IS NULL AND day > (SELECT min(day) FROM bar)") == (True,)


@every_run
def test_nobody_pays_more_or_gets_less_than_the_limit(name: str, play: Play) -> None:
    assert strange(play(name), "IF(is_buy, price > bound, price < bound)") == []


@every_run
def test_orders_together_get_their_share_of_a_print_and_nothing_of_one_without_volume(name: str, play: Play) -> None:
    run = play(name)
    assert strange(run, "volume = 0") == []
    greedy = """
        SELECT symbol, printed_at, sum(qty), any_value(volume) FROM met GROUP BY symbol, printed_at
        HAVING sum(qty) > greatest(any_value(volume) // 10, 1)
    """
    assert run.rows(greedy) == []


@every_run
def test_whoever_takes_trades_one_tick_beyond_the_print(name: str, play: Play) -> None:
    run = play(name)
    assert strange(run, "is_on_arrival AND price <> beyond") == []
    assert strange(run, "NOT is_on_arrival AND ts <> printed_at") == []
    late = "price <> beyond AND NOT (price = bound AND IF(is_buy, printed < bound, printed > bound))"
    assert strange(run, f"NOT is_on_arrival AND ({late})") == []


@pytest.mark.parametrize("name", ["samsung", "six", "split", "years", "funds"])
def test_entries_and_exits_trade_one_tick_beyond_the_next_open(name: str, play: Play) -> None:
    """A signal of a closed bar meets the first print of the next, its open; only stop-losses trade elsewhere."""
    run = play(name)
    meets_open = "is_on_arrival AND k = 0 AND made = start AND printed = open"
    beyond_open = "price = IF(is_buy, tick_up(grid, open), tick_down(grid, open))"
    assert strange(run, f"purpose <> 'PROTECT' AND NOT ({meets_open} AND {beyond_open})") == []


@pytest.mark.parametrize("name", ["six", "every print"])
def test_nothing_trades_while_a_circuit_breaker_holds(name: str, play: Play) -> None:
    run = play(name)
    an_hour = 3_600_000_000_000
    assert run.row(BREAKERS.format(0)) == (0,)
    assert run.row(BREAKERS.format(an_hour)) > (0,)


@pytest.mark.parametrize("name", ["six"])
def test_an_order_that_meets_no_volume_ends_after_ten_seconds(name: str, play: Play) -> None:
    """The first five minutes of a day have volume 0 in these files, so whoever asks there gets nothing."""
    run = play(name)
    sql = """
        SELECT count(*) FILTER (filled_qty > 0), count(*) FILTER (status <> 'CANCELED'), count(*) > 5
        FROM wish AS w JOIN bar AS b ON w.symbol = b.symbol AND w.ts = b.start
        WHERE volume = 0 AND purpose <> 'PROTECT' AND status <> 'DENIED'
    """
    assert run.row(sql) == (0, 0, True)
