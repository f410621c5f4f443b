-- What others did in the account, as the book took it. ours, theirs: what disagreed. qty, cost, cash: from here on.
CREATE TABLE qb.corrections (
    run_id text NOT NULL REFERENCES qb.sessions,
    seq bigint NOT NULL,
    ts bigint NOT NULL,
    at timestamptz NOT NULL,
    what text NOT NULL,
    symbol text NOT NULL,
    ours bigint NOT NULL,
    theirs bigint NOT NULL,
    qty bigint NOT NULL,
    cost bigint NOT NULL,
    foreign_qty bigint NOT NULL,
    cash bigint NOT NULL,
    aside bigint NOT NULL,
    realized bigint NOT NULL,
    PRIMARY KEY (run_id, seq)
);

-- What a session began with, by symbol: shares, their cost, and the price at which they counted.
ALTER TABLE qb.sessions ADD COLUMN held jsonb NOT NULL DEFAULT '{}';

-- Trades of one symbol lie together, day by day.
CREATE INDEX ON qb.trades USING brin (symbol, at);
