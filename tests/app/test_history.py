"""Figures over many sessions: worked out by hand, and the same from the journals and from PostgreSQL."""

from contextlib import closing
from datetime import date
from pathlib import Path

import msgspec
import pytest

from qbtrade.adapters.store.postgres.migrations import upgrade
from qbtrade.adapters.store.postgres.sink import PostgresSink
from qbtrade.adapters.store.postgres.sums import database_sums, journal_sums
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.app import report
from qbtrade.app.history import By, Figures
from qbtrade.app.history_source import ALL, DATABASE, JOURNALS, Question, Told, figures
from qbtrade.app.home import create, journals_dir
from qbtrade.domain.events import BookCorrected, Held, SessionStarted
from qbtrade.errors import NoRowsError
from tests.adapters.store.postgres.deliveries import drained
from tests.builders import SAMSUNG, an_order, at
from tests.recordings import Recording, a_traded_day
from tests.servers import HOST, PASSWORD, free_port

OCTOBER, MONDAY, TUESDAY = date(2026, 10, 30), date(2026, 11, 2), date(2026, 11, 3)
YEAR = Question(since=date(2026, 1, 1))


def run(number: int, mode: str, day: date, *, cash: int = 10_000_000) -> Recording:
    made = Recording(cash=cash, run_id=f"20261120-0900{number:02}-abcd").start(day=day)
    return told_as(made, mode=mode, account="a digest" if mode in {"real", "paper"} else "")


def told_as(made: Recording, **changes: object) -> Recording:
    started = made.events[0]
    assert isinstance(started, SessionStarted)
    made.events[0] = msgspec.structs.replace(started, run_id=made.run_id, **changes)
    return made


def keep(home: Path, made: Recording) -> Path:
    create(home)
    path = journals_dir(home) / f"{made.run_id}.sqlite3"
    with closing(SqliteJournal(path)) as journal:
        journal.append(made.events, durable=False)
    return path


def over_night(home: Path) -> None:
    """Bought on the last day of October, half of it sold by hand, the rest sold in November, with a loss behind it."""
    first = run(1, "real", OCTOBER).buy("10:00", "Q1", 75_000, 2, OCTOBER).mark("10:01", 10_000_000, OCTOBER)
    bought = first.account.positions[SAMSUNG].cost
    keep(home, first.mark("15:20", 10_008_000, OCTOBER).end(day=OCTOBER))
    second = run(2, "real", MONDAY)
    second.account = first.account
    held = {SAMSUNG: Held(2, bought, 79_000)}
    told_as(second, held=held, cash=first.account.cash)
    one = bought // 2
    sold_by_hand = BookCorrected(
        at("09:10", MONDAY), "sold-by-hand", SAMSUNG, 2, 1, (1, 2), 1, bought - one, 0, first.account.cash + 79_000, 0,
        79_000 - one,
    )  # fmt: skip
    second.events.append(sold_by_hand)
    second.account.cash += 79_000
    position = second.account.positions[SAMSUNG]
    position.qty, position.cost = 1, bought - one
    second.mark("09:11", second.account.cash + 79_000, MONDAY)
    second.sell("10:00", "Q2", 78_000, 1, MONDAY).mark("10:01", second.account.cash, MONDAY)
    second.deny("10:40", an_order("Q6", qty=10))
    second.events[-1] = msgspec.structs.replace(second.events[-1], ts=at("10:40", MONDAY))
    second.buy("11:00", "Q3", 70_000, 1, MONDAY).sell("11:30", "Q4", 69_000, 1, MONDAY)
    keep(home, second.mark("11:31", second.account.cash, MONDAY).end(day=MONDAY))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    over_night(tmp_path)
    keep(tmp_path, run(3, "paper", TUESDAY).buy("10:00", "Q1", 75_000, 1, TUESDAY).mark("10:01", 9_999_990, TUESDAY))
    keep(tmp_path, told_as(a_traded_day(), mode="simulation"))
    return tmp_path


def asked(**changes: object) -> Question:
    return msgspec.structs.replace(YEAR, **changes)


def by_key(told: Told) -> dict[str, Figures]:
    return {row.key: row for row in told.rows}


def test_each_month_has_what_fell_into_it_and_trades_end_over_the_night(home: Path) -> None:
    told = figures(home, YEAR)
    assert (told.source, told.shown, told.environments) == (
        JOURNALS, ("real",), {"real": 2, "paper": 1, "simulation": 1},
    )  # fmt: skip
    october, november, total = told.rows
    assert [row.key for row in told.rows] == ["2026-10", "2026-11", ""]
    # 150,000 x 0.0140527 % = 21 won; one of two shares cost 75,000
    assert (october.sessions, october.fills, october.trades, october.commission, october.net) == (1, 1, 0, 21, -21)
    assert november.realized == (78_000 - 75_000) + (69_000 - 70_000)
    assert (november.trades, november.wins, november.win_rate_ppb) == (2, 1, 500_000_000)
    assert (november.sessions, november.fills, november.denials) == (1, 3, 1)
    assert november.tax == 156 + 138
    assert (total.sessions, total.trades, total.net) == (2, 2, october.net + november.net)
    # from 79,000 a share to 78,000 and its costs, then 1,000 lost and the costs of both
    assert november.drawdown == 1_000 + 10 + 156 + 1_000 + 9 + 9 + 138
    assert total.drawdown == november.drawdown
    assert october.drawdown == 0


def test_a_session_has_the_drawdown_of_its_own_report(home: Path) -> None:
    told = by_key(figures(home, asked(by=By.SESSION, environment="simulation")))
    own = report.made_from(journals_dir(home) / "20261120-090000-abcd.sqlite3")
    row = told["20261120-090000-abcd"]
    account, counts = own["account"], own["counts"]
    assert (row.realized, row.commission, row.tax) == (account["realized"], account["commission"], account["tax"])
    assert (row.fills, row.trades, row.denials) == (counts["fills"], counts["round_trips"], counts["denied"])
    assert row.win_rate_ppb == own["metrics"]["win_rate_ppb"]
    assert row.drawdown == own["metrics"]["max_drawdown"] == 700


def test_days_are_included_at_both_ends_and_nothing_else_counts(home: Path) -> None:
    told = figures(home, asked(by=By.DAY, since=MONDAY, until=MONDAY, environment=ALL))
    assert [(row.environment, row.key, row.fills) for row in told.rows] == [
        ("real", "2026-11-02", 3), ("real", "", 3),
    ]  # fmt: skip


def test_environments_are_never_mixed(home: Path) -> None:
    told = figures(home, asked(by=By.STRATEGY, environment=ALL))
    assert [(row.environment, row.key, row.sessions, row.unfinished) for row in told.rows] == [
        ("real", "sma_cross", 2, 0), ("real", "", 2, 0), ("paper", "sma_cross", 1, 1), ("paper", "", 1, 1),
        ("simulation", "sma_cross", 1, 0), ("simulation", "", 1, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("by", By)
def test_the_same_figures_come_from_both_stores(
    by: By, home: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(database)
    for path in sorted(journals_dir(home).glob("*.sqlite3")):
        with closing(PostgresSink(database, path)) as sink:
            drained(sink, 7)
        assert database_sums(database, path) == journal_sums(path)
    monkeypatch.setenv("QB_DATABASE_URL", database)
    for span in (YEAR, asked(since=MONDAY), asked(since=OCTOBER, until=MONDAY)):
        question = msgspec.structs.replace(span, by=by, environment=ALL)
        told = figures(home, question)
        assert (told.source, told.away, told.lacking) == (DATABASE, "", [])
        assert told.rows == figures(home, msgspec.structs.replace(question, journals=True)).rows
        assert len(told.rows) >= 2


def test_what_the_database_lacks_is_told_of_what_is_shown(
    home: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(database)
    monkeypatch.setenv("QB_DATABASE_URL", database)
    with pytest.raises(NoRowsError, match=r"It lacks 4 journals: run qb db fill"):
        figures(home, YEAR)
    first, second, *_others = sorted(journals_dir(home).glob("*.sqlite3"))
    for path in (first, second):
        with closing(PostgresSink(database, path)) as sink:
            sink.drain(5)
    told = figures(home, asked(environment="real"))
    assert [(each.mode, each.rows > 0) for each in told.lacking] == [("real", True), ("real", True)]


def test_a_database_that_cannot_be_read_leaves_the_journals(
    home: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = figures(home, YEAR).rows
    for url, why in (
        (f"postgresql://qb:{PASSWORD}@{HOST}:{free_port()}/qb", "PostgreSQL does not answer"),
        (database, "the schema of the database is 0"),
        (database.replace("//qb:", "//qb:x"), "does not let 'qb' in"),
    ):
        monkeypatch.setenv("QB_DATABASE_URL", url)
        told = figures(home, YEAR)
        assert (told.source, told.rows, why in told.away) == (JOURNALS, expected, True), told.away
        assert PASSWORD not in told.away


def test_a_journal_that_cannot_be_read_is_named_and_hides_no_other(home: Path) -> None:
    expected = figures(home, YEAR).rows
    (journals_dir(home) / "20261121-090000-abcd.sqlite3").write_text("no journal")
    told = figures(home, YEAR)
    assert told.rows == expected
    assert list(told.unreadable) == ["20261121-090000-abcd"]
