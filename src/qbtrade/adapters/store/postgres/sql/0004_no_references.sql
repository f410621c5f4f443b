-- A journal begins with its session, and is passed on in order: looking that up again for every row takes longer than writing it.
ALTER TABLE qb.intents DROP CONSTRAINT intents_run_id_fkey;
ALTER TABLE qb.order_steps DROP CONSTRAINT order_steps_run_id_fkey;
ALTER TABLE qb.fills DROP CONSTRAINT fills_run_id_fkey;
ALTER TABLE qb.denials DROP CONSTRAINT denials_run_id_fkey;
ALTER TABLE qb.alerts DROP CONSTRAINT alerts_run_id_fkey;
ALTER TABLE qb.corrections DROP CONSTRAINT corrections_run_id_fkey;
