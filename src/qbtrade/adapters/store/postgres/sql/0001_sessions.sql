-- What sessions did. One row per event of the journal, under the number that it has there: (run_id, seq).
-- ts is UTC in nanoseconds of market time, exactly as in the journal; at is the same in microseconds, for queries.
-- Money is whole won.

CREATE TABLE qb.sessions (
    run_id text PRIMARY KEY,
    session_id text NOT NULL,
    version text NOT NULL,
    mode text NOT NULL,
    account text NOT NULL,
    symbols text[] NOT NULL,
    strategy text NOT NULL,
    parameters jsonb NOT NULL,
    limits jsonb NOT NULL,
    assumptions jsonb NOT NULL,
    seed bigint NOT NULL,
    source text NOT NULL,
    interval_ns bigint NOT NULL,
    cash bigint NOT NULL,
    worth bigint NOT NULL,
    ts bigint NOT NULL,
    at timestamptz NOT NULL,
    ended_ts bigint,
    ended_at timestamptz,
    outcome text,
    reason text
);
CREATE INDEX ON qb.sessions (at);

-- How far the journal of each run has been read. Written in the transaction that writes the rows.
-- head: the hash of row seq, chained as in the journal: equal to the journal's own when all of it was read, in order.
CREATE TABLE qb.cursors (
    run_id text PRIMARY KEY,
    seq bigint NOT NULL CHECK (seq >= 0),
    head bytea NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE qb.intents (
    run_id text NOT NULL REFERENCES qb.sessions,
    seq bigint NOT NULL,
    ts bigint NOT NULL,
    at timestamptz NOT NULL,
    order_id text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL CHECK (side IN ('BUY', 'SELL')),
    purpose text NOT NULL,
    kind text NOT NULL,
    tif text NOT NULL,
    qty bigint NOT NULL CHECK (qty > 0),
    price bigint NOT NULL,
    lifetime_ns bigint NOT NULL,
    reference bigint NOT NULL,
    signal text NOT NULL,
    repriced_from text NOT NULL,
    PRIMARY KEY (run_id, seq),
    UNIQUE (run_id, order_id)
);
CREATE INDEX ON qb.intents (symbol, at);

-- Each step in the life of an order, but for its fills. qty: shares that were canceled or expired.
CREATE TABLE qb.order_steps (
    run_id text NOT NULL REFERENCES qb.sessions,
    seq bigint NOT NULL,
    ts bigint NOT NULL,
    at timestamptz NOT NULL,
    order_id text NOT NULL,
    status text NOT NULL,
    broker_order_id text NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    qty bigint NOT NULL,
    PRIMARY KEY (run_id, seq)
);
CREATE INDEX ON qb.order_steps (run_id, order_id, seq);

-- Fills as they were booked. position, cost, cash: after the fill. realized: gross of it.
CREATE TABLE qb.fills (
    run_id text NOT NULL REFERENCES qb.sessions,
    seq bigint NOT NULL,
    ts bigint NOT NULL,
    at timestamptz NOT NULL,
    order_id text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL CHECK (side IN ('BUY', 'SELL')),
    purpose text NOT NULL,
    qty bigint NOT NULL CHECK (qty > 0),
    price bigint NOT NULL,
    commission bigint NOT NULL,
    tax bigint NOT NULL,
    realized bigint NOT NULL,
    position bigint NOT NULL,
    cost bigint NOT NULL,
    cash bigint NOT NULL,
    PRIMARY KEY (run_id, seq)
);
CREATE INDEX ON qb.fills (run_id, order_id);
CREATE INDEX ON qb.fills (symbol, at);

-- checks: every rule that was asked, as [rule, limit, value, distance, unit, passed].
CREATE TABLE qb.denials (
    run_id text NOT NULL REFERENCES qb.sessions,
    seq bigint NOT NULL,
    ts bigint NOT NULL,
    at timestamptz NOT NULL,
    order_id text NOT NULL,
    symbol text NOT NULL,
    reason text NOT NULL,
    checks jsonb NOT NULL,
    PRIMARY KEY (run_id, seq)
);
CREATE INDEX ON qb.denials (reason, at);

CREATE TABLE qb.alerts (
    run_id text NOT NULL REFERENCES qb.sessions,
    seq bigint NOT NULL,
    ts bigint NOT NULL,
    at timestamptz NOT NULL,
    level text NOT NULL,
    code text NOT NULL,
    text text NOT NULL,
    action text NOT NULL,
    PRIMARY KEY (run_id, seq)
);
CREATE INDEX ON qb.alerts (code, at);

-- Orders as they stand: what was asked for, what filled, and the last step. An end is an end, whatever is told later.
CREATE VIEW qb.orders AS
SELECT
    i.run_id, i.order_id, i.ts, i.at, i.symbol, i.side, i.purpose, i.kind, i.tif, i.qty, i.price, i.reference, i.signal,
    i.repriced_from, coalesce(number.broker_order_id, '') AS broker_order_id,
    CASE
        WHEN filled.qty >= i.qty THEN 'FILLED'
        WHEN step.status IS NULL THEN CASE WHEN filled.qty > 0 THEN 'PARTLY_FILLED' ELSE 'NEW' END
        WHEN filled.qty > 0 AND step.status NOT IN ('CANCELING', 'CANCELED', 'EXPIRED') THEN 'PARTLY_FILLED'
        ELSE step.status
    END AS status,
    CASE WHEN filled.qty >= i.qty THEN '' ELSE coalesce(step.reason, '') END AS reason,
    filled.qty AS filled_qty, filled.amount AS filled_amount, filled.commission, filled.tax
FROM qb.intents AS i
LEFT JOIN LATERAL (
    SELECT s.status, s.reason
    FROM qb.order_steps AS s
    WHERE s.run_id = i.run_id AND s.order_id = i.order_id
    ORDER BY s.status IN ('DENIED', 'REJECTED', 'NOT_SENT', 'CANCELED', 'EXPIRED') DESC, s.seq DESC
    LIMIT 1
) AS step ON true
LEFT JOIN LATERAL (
    SELECT s.broker_order_id
    FROM qb.order_steps AS s
    WHERE s.run_id = i.run_id AND s.order_id = i.order_id AND s.broker_order_id <> ''
    ORDER BY s.seq DESC
    LIMIT 1
) AS number ON true
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(f.qty), 0)::bigint AS qty, coalesce(sum(f.qty * f.price), 0)::bigint AS amount,
        coalesce(sum(f.commission), 0)::bigint AS commission, coalesce(sum(f.tax), 0)::bigint AS tax
    FROM qb.fills AS f
    WHERE f.run_id = i.run_id AND f.order_id = i.order_id
) AS filled;

-- What a health check writes and reads.
CREATE TABLE qb.probe (id integer PRIMARY KEY CHECK (id = 1), n bigint NOT NULL);
