"""On a made market every execution is part of a trade that the generator, asked again with the same seed, prints."""

import pytest

from tests.oracle.cases import MADE, TROUBLED
from tests.oracle.conftest import Play
from tests.oracle.runs import Run

every_made_run = pytest.mark.parametrize("name", [*MADE, *TROUBLED])

TAKEN = """
CREATE OR REPLACE TABLE taken AS
WITH printed AS (
    SELECT symbol, ts, any_value(price) AS price, sum(qty) AS qty, bool_or(is_auction) AS is_auction,
        count(DISTINCT price) AS prices, any_value(grid) AS grid
    FROM print GROUP BY symbol, ts
)
SELECT f.*, p.price AS printed, p.qty AS volume, p.prices, p.is_auction, p.grid, w.price AS bound, w.purpose,
    w.ts AS made, band.lower, band.upper, IF(is_buy, tick_up(p.grid, p.price), tick_down(p.grid, p.price)) AS beyond
FROM fill AS f JOIN wish AS w USING (order_id)
LEFT JOIN printed AS p ON p.symbol = f.symbol AND p.ts = f.ts
LEFT JOIN band ON band.symbol = f.symbol AND band.day = f.day
"""
"""Each execution with the trade of its very moment."""


def strange(run: Run, condition: str) -> list[tuple[object, ...]]:
    """Executions of which something holds that never may."""
    run.db.execute(TAKEN)
    return run.rows(f"SELECT order_id, ts, side, qty, price, printed, volume FROM taken WHERE {condition}")


@every_made_run
def test_every_execution_has_its_print(name: str, play: Play) -> None:
    run = play(name)
    assert strange(run, "printed IS NULL OR prices > 1") == []
    assert run.row("SELECT count(*) > 5 FROM taken") == (True,)


@every_made_run
def test_orders_together_get_a_tenth_of_a_print_or_one_share(name: str, play: Play) -> None:
    run = play(name)
    run.db.execute(TAKEN)
    greedy = "SELECT symbol, ts FROM taken GROUP BY symbol, ts HAVING sum(qty) > greatest(any_value(volume) // 10, 1)"
    assert run.rows(greedy) == []


@every_made_run
def test_takers_trade_one_tick_beyond_the_print_and_others_at_a_limit_that_was_traded_through(
    name: str, play: Play
) -> None:
    run = play(name)
    at_limit = "price = bound AND IF(is_buy, printed < bound, printed > bound)"
    assert strange(run, f"NOT is_auction AND price <> beyond AND NOT ({at_limit})") == []
    assert strange(run, "is_auction AND price <> printed") == []
    assert strange(run, "IF(is_buy, price > bound, price < bound)") == []
    assert strange(run, "price % tick_of(grid, price) <> 0 OR price NOT BETWEEN lower AND upper") == []


@every_made_run
def test_entries_and_exits_trade_after_they_arrive_and_within_their_ten_seconds(name: str, play: Play) -> None:
    run = play(name)
    assert strange(run, "ts < made + 50000000") == []
    assert strange(run, "purpose <> 'PROTECT' AND ts > made + 50000000 + 10000000000 + 50000000") == []


@pytest.mark.parametrize("name", ["crash", "halt"])
def test_nothing_trades_and_nothing_is_sent_while_a_symbol_is_halted(name: str, play: Play) -> None:
    run = play(name)
    halted = "SELECT * FROM {} AS t JOIN halt AS h ON t.symbol = h.symbol AND t.ts >= h.since AND t.ts < h.until"
    assert run.rows(halted.format("fill")) == run.rows(halted.format("wish")) == []
    said = [(halt["symbol"], *run.times(halt, "ts", "resumed").values()) for halt in run.report["session"]["halts"]]
    assert said == run.rows("SELECT symbol, since, until FROM halt")
    assert len(said) == 1


@pytest.mark.parametrize("name", ["refusals"])
def test_refused_orders_never_trade_and_others_do(name: str, play: Play) -> None:
    run = play(name)
    counts = run.report["counts"]
    refused, refused_shares, filled = run.row("""
        SELECT count(*) FILTER (status = 'REJECTED'), sum(filled_qty) FILTER (status = 'REJECTED'),
            count(*) FILTER (filled_qty > 0)
        FROM wish
    """)
    assert (refused, refused_shares) == (counts["rejected"], 0)
    assert counts["rejected"] + counts["accepted"] == counts["approved"]
    assert refused > 10
    assert filled > 50
    assert run.rows("SELECT DISTINCT symbol FROM fill ORDER BY 1") == [("005930",), ("035900",), ("069500",)]


@every_made_run
def test_bars_and_trades_are_counted_as_they_were_made(name: str, play: Play) -> None:
    run = play(name)
    bars, trades = run.row("SELECT (SELECT count(*) FROM bar), (SELECT count(*) FROM print)")
    counts = run.report["counts"]
    assert (counts["bars"], counts["trades"], counts["quarantined"], counts["late"]) == (bars, trades, 0, 0)
