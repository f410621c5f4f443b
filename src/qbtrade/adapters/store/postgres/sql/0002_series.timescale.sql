-- Series over time, in hypertables of TimescaleDB that compress what is older than a week.

CREATE TABLE qb.equity (
    run_id text NOT NULL,
    seq bigint NOT NULL,
    ts bigint NOT NULL,
    at timestamptz NOT NULL,
    equity bigint NOT NULL,
    cash bigint NOT NULL,
    unrealized bigint NOT NULL,
    PRIMARY KEY (run_id, seq, at)
);
-- at: the end of a bar. source: who said so. adjusted: for corporate actions after it.
CREATE TABLE qb.bars (
    symbol text NOT NULL,
    interval_ns bigint NOT NULL,
    source text NOT NULL,
    ts bigint NOT NULL,
    at timestamptz NOT NULL,
    open bigint NOT NULL,
    high bigint NOT NULL,
    low bigint NOT NULL,
    close bigint NOT NULL,
    volume bigint NOT NULL,
    adjusted boolean NOT NULL,
    PRIMARY KEY (symbol, interval_ns, source, at)
);
-- No key, which would halve the speed of writing: whoever writes a symbol's day replaces it in one transaction.
CREATE TABLE qb.trades (
    symbol text NOT NULL,
    source text NOT NULL,
    seq bigint NOT NULL,
    ts bigint NOT NULL,
    at timestamptz NOT NULL,
    price bigint NOT NULL,
    qty bigint NOT NULL,
    auction boolean NOT NULL
);
SELECT create_hypertable('qb.equity', 'at', chunk_time_interval => interval '1 month');
SELECT create_hypertable('qb.bars', 'at', chunk_time_interval => interval '1 month');
SELECT create_hypertable('qb.trades', 'at', chunk_time_interval => interval '1 day');

ALTER TABLE qb.equity SET (timescaledb.compress, timescaledb.compress_segmentby = 'run_id', timescaledb.compress_orderby = 'at, seq');
ALTER TABLE qb.bars SET (timescaledb.compress, timescaledb.compress_segmentby = 'symbol, interval_ns, source', timescaledb.compress_orderby = 'at');
ALTER TABLE qb.trades SET (timescaledb.compress, timescaledb.compress_segmentby = 'symbol, source', timescaledb.compress_orderby = 'at, seq');
SELECT add_compression_policy('qb.equity', interval '7 days');
SELECT add_compression_policy('qb.bars', interval '7 days');
SELECT add_compression_policy('qb.trades', interval '7 days');

-- Hypertables make room by themselves.
CREATE FUNCTION qb.prepare(first_at timestamptz, last_at timestamptz) RETURNS void LANGUAGE sql AS $$
    SELECT
$$;

-- Drop the chunks of trades that ended before this moment; how many went.
CREATE FUNCTION qb.forget(before timestamptz) RETURNS integer LANGUAGE sql AS $$
    SELECT count(*)::integer FROM drop_chunks('qb.trades', before)
$$;
