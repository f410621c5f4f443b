"""`qb report --since` through the real entry point."""

import json
from contextlib import closing

import pytest

from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.app.home import create, home, journals_dir
from qbtrade.errors import ExitCode
from tests.cli.terminal import one_line, qb
from tests.recordings import a_traded_day
from tests.servers import HOST, PASSWORD, free_port

REFUSED = (
    (("--since", "2026-13-01"), ExitCode.USAGE, "--since: '2026-13-01' is no day. Write 2026-01-31"),
    (("--since", "yesterday"), ExitCode.USAGE, "--since: 'yesterday' is no day. Write 2026-01-31"),
    (("--since", "0001-01-01"), ExitCode.USAGE, "--since: '0001-01-01' is no day. Write 2026-01-31"),
    (("--since", "2026-01-01", "--until", "9999-12-31"), ExitCode.USAGE, "--until: '9999-12-31' is no day"),
    (("--since", "2026-02-01", "--until", "2026-01-31"), ExitCode.USAGE, "--until 2026-01-31 lies before --since"),
    (("--since", "2026-01-01", "--by", "week"), ExitCode.USAGE, "unknown --by 'week'. Known: day, month, session"),
    (("--since", "2026-01-01", "--env", "papper"), ExitCode.USAGE, "unknown --env 'papper'"),
    (("--since", "2026-01-01", "--last", "3"), ExitCode.USAGE, "--last does not go with --since"),
    (("--since", "2026-01-01", "--symbol", "005930"), ExitCode.USAGE, "--symbol does not go with --since"),
    (("--by", "month"), ExitCode.USAGE, "--by narrows --since. Name the first day with --since"),
    (("--since", "2026-01-01", "show"), ExitCode.USAGE, "options of show stand behind it"),
    (("--since", "2026-12-01"), ExitCode.BAD_FILE, "no session of 2026-12-01 -. See qb report"),
    (("--since", "2026-01-01", "--until", "2026-01-31"), ExitCode.BAD_FILE, "no session of 2026-01-01 - 2026-01-31"),
    (("--since", "2026-01-01", "--env", "real"), ExitCode.BAD_FILE, "no session of 2026-01-01 - in real. Others"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _day() -> None:
    day = a_traded_day()
    create(home())
    with closing(SqliteJournal(journals_dir(home()) / f"{day.run_id}.sqlite3")) as journal:
        journal.append(day.events, durable=False)


@pytest.mark.parametrize(("args", "code", "said"), REFUSED)
def test_what_is_asked_wrongly_is_one_line_with_its_exit_code(args: tuple[str, ...], code: ExitCode, said: str) -> None:
    result = qb("report", *args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in one_line(result.stderr)


def test_the_table_and_the_document_say_the_same_and_where_it_comes_from() -> None:
    result = qb("report", "--since", "2026-11-20", "--until", "2026-11-20", "--by", "day")
    assert (result.exit_code, result.stderr) == (ExitCode.DONE, "")
    header, row, total, _empty, source = result.stdout.splitlines()[1:]
    assert header.split() == [
        "Day", "Sessions", "Round", "trips", "Win", "rate", "Realized", "Fee", "Tax", "Net", "Drawdown", "Denied",
    ]  # fmt: skip
    assert row.split() == ["2026-11-20", "1", "2", "50.00%", "+1,500", "72", "455", "+973", "-700", "1"]
    assert (total.split()[1:], source) == (row.split()[1:], "read from the journals")

    document = json.loads(qb("report", "--since", "2026-11-20", "--by", "day", "--json").stdout)
    (told,) = document["rows"]
    assert (told["key"], told["realized"], told["net"], told["drawdown"]) == ("2026-11-20", 1500, 973, 700)
    assert (document["source"], document["shown"], document["until"]) == ("journals", ["simulate"], None)
    assert [{**document["totals"][0], "key": told["key"]}] == document["rows"]


def test_a_database_that_is_away_is_said_below_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QB_DATABASE_URL", f"postgresql://qb:{PASSWORD}@{HOST}:{free_port()}/qb")
    result = qb("report", "--since", "2026-11-20")
    assert (result.exit_code, result.stderr) == (ExitCode.DONE, "")
    source, away = result.stdout.splitlines()[-2:]
    assert source == "read from the journals"
    assert away.startswith("PostgreSQL was not read: PostgreSQL does not answer")
    assert PASSWORD not in result.stdout
