"""`qb report` through the real entry point: every command, plain and as JSON, and every way to ask wrongly."""

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.adapters.store.verify import head
from qbtrade.app import report as reports
from qbtrade.app.export import TABLES, schema
from qbtrade.app.home import create, home, journals_dir, reports_dir
from qbtrade.errors import ExitCode
from tests.cli.terminal import one_line, qb, qb_process
from tests.recordings import Recording, a_traded_day

RUN = "20261120-090000-abcd"
OLDER = "20261119-090000-abcd"
COMMANDS = (
    (), ("--events", "ORDER_FILLED"), ("show",), ("events",), ("why", "Q1"), ("export", "--json", "-"), ("rebuild",),
    ("verify",),
)  # fmt: skip


def keep(recording: Recording, run_id: str = RUN) -> Path:
    create(home())
    path = journals_dir(home()) / f"{run_id}.sqlite3"
    journal = SqliteJournal(path)
    journal.append(recording.events, durable=False)
    journal.close()
    return path


@pytest.fixture
def day() -> Recording:
    day = a_traded_day()
    keep(day)
    return day


def out(*args: str) -> str:
    result = qb("report", *args)
    assert (result.exit_code, result.stderr) == (ExitCode.DONE, "")
    return result.stdout


def encoded(day: Recording) -> bytes:
    return reports.encode(reports.build(day.events, head(journals_dir(home()) / f"{RUN}.sqlite3")))


def document(*args: str) -> Any:
    return json.loads(out(*args))


def refusal(*args: str) -> tuple[int, str]:
    result = qb("report", *args)
    assert result.stdout == ""
    return result.exit_code, one_line(result.stderr)


def test_home_without_sessions_says_how_to_start_one() -> None:
    assert out() == "No session yet. Start one with qb simulate\n"
    assert document("--json") == {"sessions": [], "earlier": 0}


@pytest.mark.usefixtures("day")
def test_sessions_are_listed_newest_first_with_profit_and_fills() -> None:
    keep(Recording().start(), OLDER)
    header, newest, older = out().splitlines()
    assert header.split() == ["Run", "Ended", "Symbols", "Days", "Fills", "Profit"]
    assert newest.split() == [RUN, "done", "005930", "2026-11-20", "5", "+1,373"]
    assert older.split() == [OLDER, "unfinished", "005930", "2026-11-20", "0", "0"]


@pytest.mark.usefixtures("day")
def test_list_is_cut_where_it_is_told_to_be() -> None:
    keep(Recording().start(), OLDER)
    assert out("--last", "1").splitlines()[-1] == "and 1 earlier ones"
    listed = document("--last", "1", "--json")
    assert [session["run_id"] for session in listed["sessions"]] == [RUN]
    assert (listed["sessions"][0]["start"], listed["earlier"]) == ("2026-11-20T09:00:00+09:00", 1)


@pytest.mark.usefixtures("day")
def test_journal_that_cannot_be_read_does_not_hide_the_others() -> None:
    (journals_dir(home()) / "20261121-090000-abcd.sqlite3").write_text("not a journal")
    text = out()
    assert RUN in text
    assert "20261121-090000-abcd: " in text
    assert "is not a journal" in text


def test_show_tells_the_whole_session(day: Recording) -> None:
    text = out("show")
    for said in (
        "sma_cross fast=5 slow=20", "9,925,973", "+1,373", "Profit factor", "needs 20 trading days, had 1",
        "76,000", "+1,654", "-671", "one position", "-250,000", "2 ticks", "172 won a share at 75,400", RUN,
    ):  # fmt: skip
        assert said in text, said
    assert text == out("show", "latest") == out("show", RUN[:10]) == out("show", "0123")
    assert document("show", "--json") == json.loads(encoded(day))


@pytest.mark.usefixtures("day")
def test_json_of_show_fits_the_published_schema() -> None:
    Draft202012Validator(schema()).validate(document("show", "--json"))


@pytest.mark.parametrize("args", COMMANDS)
@pytest.mark.usefixtures("day")
def test_every_command_gives_one_json_document(args: tuple[str, ...]) -> None:
    assert isinstance(document(*args, *(() if "-" in args else ("--json",))), dict)


@pytest.mark.parametrize("args", COMMANDS)
@pytest.mark.usefixtures("day")
def test_pipes_receive_plain_lines_without_control_codes_or_trailing_blanks(args: tuple[str, ...]) -> None:
    done = qb_process("report", *args)
    assert (done.returncode, done.stderr) == (ExitCode.DONE, "")
    assert all(line == line.rstrip() and line.isprintable() for line in done.stdout.splitlines())


@pytest.mark.usefixtures("day")
def test_events_are_narrowed_by_type_symbol_and_time() -> None:
    rows = out(
        "events", "ORDER_FILLED,signal", "--symbol", "005930", "--from", "2026-11-20T10:00", "--to", "2026-11-20"
    )
    assert [line.split()[1:5] for line in rows.splitlines()] == [
        ["10:30:00.000", "ORDER_FILLED", "005930", "Q2"],
        ["11:00:00.000", "ORDER_FILLED", "005930", "Q3"],
        ["11:30:00.000", "ORDER_FILLED", "005930", "Q4"],
        ["13:00:00.000", "ORDER_FILLED", "005930", "Q5"],
    ]
    assert rows == out("--events", "order-filled,SIGNAL", "--symbol", "005930", "--from", "2026-11-20T10:00")


def test_events_as_json_are_the_rows_of_the_journal(day: Recording) -> None:
    found = document("events", "--json")
    assert found["run_id"] == RUN
    assert [event["type"] for event in found["events"]] == [str(event.__struct_config__.tag) for event in day.events]
    assert found["events"][0]["ts"] == day.events[0].ts


@pytest.mark.usefixtures("day")
def test_events_come_from_the_session_that_was_named() -> None:
    keep(Recording().start(), OLDER)
    assert len(out("events", "--session", OLDER).splitlines()) == 2
    assert len(out("--events", "SESSION_STARTED,SESSION_ENDED", "--session", OLDER).splitlines()) == 1


@pytest.mark.usefixtures("day")
def test_why_tells_a_filled_order_from_signal_to_costs() -> None:
    text = out("why", "Q1")
    for said in (
        "Q1  buy 2 x 005930 at 75,000  (entry): filled", "fast=75010 slow=74990", "budget", "25,000",
        "accepted by the broker", "2 at 75,000", "commission 21, tax 0, slippage 200",
    ):  # fmt: skip
        assert said in text, said


@pytest.mark.usefixtures("day")
def test_why_tells_which_limit_stopped_a_denied_order() -> None:
    text = out("why", "Q6")
    (line,) = (line for line in text.splitlines() if "broken" in line)
    assert line.split() == ["position-share", "500,000", "750,000", "-250,000", "won", "broken"]


@pytest.mark.usefixtures("day")
def test_why_takes_the_session_that_was_named() -> None:
    keep(a_traded_day(), OLDER)
    assert document("why", "Q1", "--json")["run_id"] == RUN
    assert document("why", "Q1", "--session", OLDER, "--json")["run_id"] == OLDER


@pytest.mark.usefixtures("day")
def test_tables_are_exported_into_a_folder(tmp_path: Path) -> None:
    assert out("export", "--csv", str(tmp_path / "out")).splitlines() == [
        str(tmp_path / "out" / f"{each}.csv") for each in TABLES
    ]
    with (tmp_path / "out" / "round_trips.csv").open(newline="") as file:
        assert [row["net"] for row in csv.DictReader(file)] == ["1654", "-671"]


def test_report_is_exported_to_a_file(day: Recording, tmp_path: Path) -> None:
    assert out("export", RUN, "--json", str(tmp_path / "x.json")) == f"{tmp_path / 'x.json'}\n"
    assert (tmp_path / "x.json").read_bytes() == encoded(day)


def test_rebuilt_report_is_identical_to_the_one_that_the_session_wrote(day: Recording) -> None:
    path = reports_dir(home()) / f"{RUN}.json"
    assert out("rebuild") == f"{path}: written\n"
    assert path.read_bytes() == encoded(day)
    assert document("rebuild", "--json") == {"run_id": RUN, "path": str(path), "identical": True}
    path.write_text("{}")
    assert out("rebuild", RUN) == f"{path}: replaced, it was different\n"


@pytest.mark.usefixtures("day")
@pytest.mark.parametrize(
    ("args", "code", "line"),
    [
        (("show", "nothing"), 3, f"no session 'nothing'. Nearest: {RUN}"),
        (("show", "20261120-080000"), 3, "no session '20261120-080000'. Nearest: 20261120-090000-abcd"),
        (("why", "Q99"), 3, "no order 'Q99' in any session"),
        (("why", "Q99", "--session", RUN), 3, f"no order 'Q99' in session {RUN}"),
        (("events", "ORDER_FILED"), 2, "unknown event type 'ORDER_FILED'. Did you mean 'ORDER_FILLED'?"),
        (("events", "--symbol", "59"), 2, "'59' is not a symbol"),
        (("events", "--from", "yesterday"), 2, "--from: 'yesterday' is not a time"),
        (("--symbol", "005930"), 2, "--symbol narrows --events"),
        (("--json", "show"), 2, "options of show stand behind it"),
        (("--last", "0"), 2, "--last: 0 is outside"),
        (("export",), 2, "nothing to export"),
        (("export", "--csv", "trades.csv"), 3, "names no table"),
        (("export", "--json", "nowhere/x.json"), 3, "cannot write"),
        (("shw",), 2, "shw"),
    ],
)
def test_wrong_question_gets_one_line_and_its_exit_code(args: tuple[str, ...], code: int, line: str) -> None:
    found, said = refusal(*args)
    assert (found, line in said) == (code, True), said


def test_damaged_journal_is_one_line(day: Recording) -> None:
    path = keep(Recording().start(), "20261121-090000-abcd")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"PHASE_CHANGED", b"PHASE_CHANGEE"))
    code, said = refusal("show")
    assert code == ExitCode.FAILED
    assert "row 2" in said
    assert len(day.events) > 2


@pytest.mark.usefixtures("day")
def test_a_journal_that_nobody_touched_is_sound() -> None:
    plain, found = out("verify"), document("verify", "--json")
    assert plain == f"{RUN} is sound: {found['rows']} rows, chained, the last one {found['last_hash']}\n"
    assert (found["run_id"], found["is_chained"], found["is_ended"]) == (RUN, True, True)
    assert document("show", "--json")["timing"]["journal_hash"] == found["last_hash"]


@pytest.mark.parametrize("row", [1, 7])
def test_a_changed_row_is_named_also_when_the_journal_cannot_be_read_any_more(day: Recording, row: int) -> None:
    path = keep(day, OLDER)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER event_stays_as_it_is")
        connection.execute("UPDATE event SET body = replace(body, '{', '{ ') WHERE seq = ?", (row,))
        connection.commit()
    out("verify")
    exit_code, line = refusal("verify", OLDER)
    assert exit_code == ExitCode.BAD_FILE
    assert f"{OLDER}.sqlite3, row {row}: it was changed" in line


def test_rows_cut_off_after_the_report_was_written_are_noticed(day: Recording) -> None:
    out("rebuild")
    path = journals_dir(home()) / f"{RUN}.sqlite3"
    path.unlink()
    keep(Recording(events=day.events[:-3]))
    exit_code, line = refusal("verify")
    assert exit_code == ExitCode.BAD_FILE
    assert "is not the one that its report was made of" in line


def test_a_report_that_cannot_be_read_hinders_nobody(day: Recording) -> None:
    del day
    reports_dir(home()).joinpath(f"{RUN}.json").write_text("no report")
    assert "is sound" in out("verify")
