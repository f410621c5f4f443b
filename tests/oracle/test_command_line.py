"""The same judgement of what `qb simulate --json` writes, in a process of its own."""

import json
from pathlib import Path

from tests.cli.terminal import qb_process
from tests.oracle.ledger import load_report
from tests.oracle.market import load_market
from tests.oracle.rulebook import rulebook
from tests.oracle.runs import SESSIONS
from tests.shared_data import shared

FILLED = "SELECT count(*), count(*) FILTER (commission <> said_commission OR tax <> said_tax) FROM cost"
CASH = """
SELECT sum(IF(is_buy, -amount, amount) - c.commission - c.tax), sum(gain), sum(c.commission), sum(c.tax)
FROM fill AS f JOIN cost AS c ON f.n = c.n JOIN book AS b ON f.n = b.n
"""


def test_what_the_command_prints_agrees_with_the_books_kept_in_sql(tmp_path: Path) -> None:
    source, sessions = shared("intraday5m_2020/005930.csv"), shared(SESSIONS)
    ended = qb_process("simulate", "--source", str(source), "--json", QB_HOME=str(tmp_path / "home"), QB_LANG="en")
    assert (ended.returncode, ended.stderr) == (0, "")
    written = tmp_path / "report.json"
    written.write_text(ended.stdout)
    db = rulebook(sessions)
    load_market(db, [source], daily=False)
    load_report(db, written)
    account = json.loads(ended.stdout)["account"]
    flow, *rest = db.execute(CASH).fetchone() or ()
    assert [account[name] for name in ("realized", "commission", "tax")] == rest
    assert account["cash"] == account["initial_cash"] + flow
    assert db.execute(FILLED).fetchone() == (len(json.loads(ended.stdout)["fills"]), 0)
