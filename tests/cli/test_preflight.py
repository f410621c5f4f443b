import json
from io import StringIO
from pathlib import Path

import pytest

from qbtrade.app.preflight.rows import Row, Status
from qbtrade.app.preflight.run import SECTIONS, SYMBOL_SECTIONS
from qbtrade.app.scenarios import SCENARIOS
from qbtrade.cli.pages import cells
from qbtrade.cli.render_preflight import NAMES, STATUS, TITLES, Rows
from qbtrade.errors import ExitCode
from tests.cli.terminal import qb, qb_process
from tests.servers import free_port


def test_on_a_bare_machine_the_emulator_is_a_go() -> None:
    ended = qb("preflight", "--env", "emulator", "--symbol", "005930", "--max", "100000")

    assert ended.exit_code == ExitCode.DONE, ended.output
    assert "one share costs up to 97,314 won with commission, and --max is 100,000" in ended.stdout
    assert ended.stdout.splitlines()[-1].startswith("go (ok ")
    assert "\x1b" not in ended.stdout


def test_json_is_one_document_and_a_failed_row_ends_with_4() -> None:
    ended = qb("preflight", "--env", "emulator", "--max", "90_000", "--json")

    assert ended.exit_code == ExitCode.PREFLIGHT
    document = json.loads(ended.stdout)
    assert document["go"] is False
    failed = {row["check"]: row for row in document["rows"] if row["status"] == "fail"}
    assert set(failed) == {"one-share"}
    assert failed["one-share"]["mend"].startswith("It takes at least --max 97,300")


def test_without_any_configuration_every_row_that_needs_keys_says_so() -> None:
    ended = qb("preflight", HOME="/nobody")

    assert ended.exit_code == ExitCode.PREFLIGHT
    assert "the app key is missing" in ended.stdout
    assert "Start `qb init`" in ended.stdout


def test_a_kis_that_is_not_there_is_a_no_go_in_korean_too() -> None:
    port = free_port()
    ended = qb_process(
        "preflight", "--env", "paper", QB_LANG="ko", QB_KIS_APP_KEY="PSab" + "7c" * 16, QB_KIS_APP_SECRET="s3cret/" * 6,
        QB_KIS_ACCOUNT="12345678-01", QB_KIS_REST_URL=f"http://127.0.0.1:{port}", QB_KIS_WS_URL=f"ws://127.0.0.1:{port}",
    )  # fmt: skip

    assert ended.returncode == ExitCode.PREFLIGHT
    assert "KIS gives no access token" not in ended.stdout
    assert "Connection refused" in ended.stdout
    assert ended.stderr == ""


def test_a_file_that_others_may_read_is_a_row_not_an_error() -> None:
    Path(".env").write_text("QB_KIS_APP_KEY=PSabcdefabcdefabcdef\n", encoding="utf-8")
    Path(".env").chmod(0o644)

    ended = qb("preflight")

    assert ended.exit_code == ExitCode.PREFLIGHT
    assert "chmod 600 .env" in ended.stdout
    assert "PSabcdef" not in ended.output


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--env", "papr"), "unknown environment 'papr'. Did you mean 'paper'?"),
        (("--symbol", "samsung"), "'samsung' is not a symbol"),
        (("--max", "much"), "--max: 'much' is not a whole number"),
    ],
)
def test_a_wrong_argument_is_one_line(args: tuple[str, ...], said: str) -> None:
    ended = qb("preflight", *args)

    assert (ended.exit_code, ended.stdout) == (ExitCode.USAGE, "")
    assert said in ended.stderr


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_is_seen_stands_in_one_column(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QB_LANG", language)
    stream = StringIO()
    rows = Rows(stream)
    for check in NAMES:
        rows.show(Row(section="market", check=check, status=Status.OK, seen="HERE", symbol="Q500001"))
    lines = [line for line in stream.getvalue().splitlines() if line.endswith(" HERE")]
    assert len(lines) == len(NAMES)
    assert len({cells(line) for line in lines}) == 1


def test_every_section_and_check_has_its_words() -> None:
    checks = {name for part in (SECTIONS, SYMBOL_SECTIONS) for found in part.values() for name in found}

    assert set(TITLES) == set(SECTIONS)
    assert set(STATUS) == set(Status)
    assert checks | {"verdict"} == set(NAMES)
    assert not checks & {name for name, _play in SCENARIOS}
