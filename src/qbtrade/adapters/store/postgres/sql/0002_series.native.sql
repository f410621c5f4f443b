-- Series over time, in native partitions of one month (UTC) each, with BRIN indexes.

CREATE TABLE qb.equity (
    run_id text NOT NULL,
    seq bigint NOT NULL,
    ts bigint NOT NULL,
    at timestamptz NOT NULL,
    equity bigint NOT NULL,
    cash bigint NOT NULL,
    unrealized bigint NOT NULL,
    PRIMARY KEY (run_id, seq, at)
) PARTITION BY RANGE (at);
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
) PARTITION BY RANGE (at);
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
) PARTITION BY RANGE (at);
CREATE INDEX ON qb.equity USING brin (at);
CREATE INDEX ON qb.bars USING brin (at);
CREATE INDEX ON qb.trades USING brin (at);

-- Make room for rows of this span. To be called before writing them, at the beginning of a transaction.
CREATE FUNCTION qb.prepare(first_at timestamptz, last_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month timestamp := date_trunc('month', first_at AT TIME ZONE 'UTC');
    series text;
    partition text;
BEGIN
    WHILE month AT TIME ZONE 'UTC' <= last_at LOOP
        FOREACH series IN ARRAY ARRAY['equity', 'bars', 'trades'] LOOP
            partition := series || to_char(month, '_YYYY_MM');
            IF to_regclass(format('qb.%I', partition)) IS NULL THEN
                PERFORM pg_advisory_xact_lock(7221, 2);
                EXECUTE format(
                    'CREATE TABLE IF NOT EXISTS qb.%I PARTITION OF qb.%I FOR VALUES FROM (%L) TO (%L)',
                    partition, series, month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC'
                );
            END IF;
        END LOOP;
        month := month + interval '1 month';
    END LOOP;
END
$$;

-- Drop the months of trades that ended before this moment; how many went.
CREATE FUNCTION qb.forget(before timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    partition text;
    gone integer := 0;
BEGIN
    FOR partition IN
        SELECT c.relname
        FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'qb.trades'::regclass
            AND (to_timestamp(right(c.relname, 7), 'YYYY_MM')::timestamp + interval '1 month') AT TIME ZONE 'UTC' <= before
    LOOP
        EXECUTE format('DROP TABLE qb.%I', partition);
        gone := gone + 1;
    END LOOP;
    RETURN gone;
END
$$;
