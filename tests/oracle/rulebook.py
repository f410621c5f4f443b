"""The rules of the market, typed in a second time as tables of their own, so that reports can be recomputed in SQL.

Nothing here is read from the product. Times are UTC ns, money is KRW, rates are ppb. Sources: KRX market regulations
(tick sizes before and since 2023-01-25, hours), Securities Transaction Tax Act with its decrees of 2019 to 2026, KIS
BanKIS fees.
"""

from pathlib import Path

from duckdb import DuckDBPyConnection, connect

LISTING = """
CREATE TABLE listing AS SELECT * FROM (VALUES
    ('000100', 'KOSPI', 'STOCK'), ('000660', 'KOSPI', 'STOCK'), ('001440', 'KOSPI', 'STOCK'),
    ('005930', 'KOSPI', 'STOCK'), ('005935', 'KOSPI', 'STOCK'), ('034020', 'KOSPI', 'STOCK'),
    ('035420', 'KOSPI', 'STOCK'), ('035720', 'KOSPI', 'STOCK'), ('042700', 'KOSPI', 'STOCK'),
    ('047040', 'KOSPI', 'STOCK'), ('010170', 'KOSDAQ', 'STOCK'), ('035900', 'KOSDAQ', 'STOCK'),
    ('053800', 'KOSDAQ', 'STOCK'), ('098460', 'KOSDAQ', 'STOCK'), ('108490', 'KOSDAQ', 'STOCK'),
    ('069500', 'KOSPI', 'ETF'), ('114800', 'KOSPI', 'ETF'), ('122630', 'KOSPI', 'ETF'), ('252670', 'KOSPI', 'ETF')
) AS t(symbol, market, kind)
"""
COMMISSION = "CREATE TABLE commission AS SELECT * FROM (VALUES ('STOCK', 140527), ('ETF', 146527)) AS t(kind, ppb)"
TAX = """
CREATE TABLE tax AS SELECT kind, CAST(since AS DATE) AS since, ppb FROM (VALUES
    ('STOCK', '1996-04-01', 3000000), ('STOCK', '2019-06-03', 2500000), ('STOCK', '2021-01-01', 2300000),
    ('STOCK', '2023-01-01', 2000000), ('STOCK', '2024-01-01', 1800000), ('STOCK', '2025-01-01', 1500000),
    ('STOCK', '2026-01-01', 2000000), ('ETF', '1996-04-01', 0)
) AS t(kind, since, ppb)
"""
STEPS = """
CREATE TABLE steps AS SELECT step_grid, UNNEST(floors) AS step_from, UNNEST(sizes) AS step_size FROM (VALUES
    ('old KOSPI', [0, 1000, 5000, 10000, 50000, 100000, 500000], [1, 5, 10, 50, 100, 500, 1000]),
    ('old KOSDAQ', [0, 1000, 5000, 10000, 50000], [1, 5, 10, 50, 100]),
    ('one table', [0, 2000, 5000, 20000, 50000, 200000, 500000], [1, 5, 10, 50, 100, 500, 1000]),
    ('fund', [0], [5]), ('cheap fund', [0, 2000], [1, 5])
) AS t(step_grid, floors, sizes)
"""
GRIDS = """
CREATE MACRO grid_of(market_, kind_, day_) AS CASE
    WHEN kind_ = 'ETF' THEN IF(day_ < DATE '2023-12-18', 'fund', 'cheap fund')
    WHEN day_ >= DATE '2023-01-25' THEN 'one table'
    ELSE 'old ' || market_ END
"""
TICKS = """
CREATE MACRO tick_of(grid_, price_) AS
    (SELECT arg_max(step_size, step_from) FROM steps WHERE step_grid = grid_ AND step_from <= price_);
CREATE MACRO tick_up(grid_, price_) AS price_ - price_ % tick_of(grid_, price_) + tick_of(grid_, price_);
CREATE MACRO tick_down(grid_, price_) AS price_ - 1 - (price_ - 1) % tick_of(grid_, price_ - 1);
"""
TIMES = """
CREATE MACRO kst_ns(day_, clock_) AS
    epoch_ns(CAST(day_ AS TIMESTAMP)) - 32400000000000 + 60000000000 * CAST(clock_ AS BIGINT);
CREATE MACRO iso_ns(text_) AS epoch_ns(CAST(left(text_, length(text_) - 6) AS TIMESTAMP_NS)) - 32400000000000;
CREATE MACRO day_of(ts_) AS CAST(make_timestamp_ns(ts_ + 32400000000000) AS DATE);
"""
EXAMS = """
CREATE TABLE exam AS SELECT CAST(UNNEST([
    '2018-11-15', '2019-11-14', '2020-12-03', '2021-11-18', '2022-11-17', '2023-11-16', '2024-11-14', '2025-11-13'
]) AS DATE) AS day
"""
SESSIONS = """
CREATE TABLE session AS
WITH hours AS (
    SELECT day, day IN (FROM exam) AS is_exam,
        day = min(day) OVER (PARTITION BY year(day)) AND month(day) = 1 AS is_first,
        lead(day, 2) OVER (ORDER BY day) AS settles
    FROM days
)
SELECT day, settles,
    kst_ns(day, IF(is_exam OR is_first, 600, 540)) AS opens,
    kst_ns(day, IF(is_exam, 980, 920)) AS ends,
    kst_ns(day, IF(is_exam, 990, 930)) AS closes
FROM hours
"""
AFTER_THE_FILE = "['2026-05-04', '2026-05-06']"
"""Where the shared list of sessions ends, these two are next: 1 and 5 May are holidays, 2 and 3 May a weekend."""
MADE_DAYS = """[
    '2026-10-30', '2026-11-02', '2026-11-03', '2026-11-04', '2026-11-05', '2026-11-06', '2026-11-09', '2026-11-10',
    '2026-11-11', '2026-11-12', '2026-11-13'
]"""
"""Around the first Monday of November 2026, which has no holiday near it."""


def rulebook(sessions: Path | None) -> DuckDBPyConnection:
    """A fresh database with every rule; without a file of session days it knows those of a made day alone."""
    db = connect()
    for statement in (LISTING, COMMISSION, TAX, STEPS, GRIDS, TICKS, TIMES, EXAMS):
        db.execute(statement)
    if sessions is None:
        db.execute(f"CREATE TABLE days AS SELECT CAST(UNNEST({MADE_DAYS}) AS DATE) AS day")
    else:
        db.execute(
            f"CREATE TABLE days AS SELECT CAST(date AS DATE) AS day FROM read_csv('{sessions}', all_varchar = true)"
            f" UNION ALL SELECT CAST(UNNEST({AFTER_THE_FILE}) AS DATE)"
        )
    db.execute(SESSIONS)
    return db
