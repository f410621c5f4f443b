import json
import sys

import pytest

from qbtrade.cli.main import run
from qbtrade.errors import ExitCode


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QB_LANG", "en")


def qb_rules(monkeypatch: pytest.MonkeyPatch, *args: str) -> int:
    """Run `qb rules` as the shell would; its exit code."""
    monkeypatch.setattr(sys, "argv", ["qb", "rules", *args])
    with pytest.raises(SystemExit) as ended:
        run()
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_the_rules_of_a_day_are_shown_with_their_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert qb_rules(monkeypatch, "--date", "2024-12-27", "--symbol", "005930") == ExitCode.DONE
    said = capsys.readouterr()
    assert said.err == ""
    for text in (
        "2024-12-27  005930  Samsung Electronics  KOSPI STOCK",
        "yes, the next one is 2024-12-30",
        "09:00-15:20  continuous session",
        "100 won from 50,000",
        "since 2023-01-25: KRX tick size reform",
        "30 %: from 52,500 to 97,500 around a base price of 75,000",
        "0.0140527 %",
        "0.15 % of a sale that settles on 2025-01-02",
        "2025-01-01 to 2025-12-31: Enforcement Decree",
    ):
        assert text in said.out
    assert all(line == line.rstrip() for line in said.out.splitlines())


def test_a_closed_day_says_why_and_shows_no_hours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert qb_rules(monkeypatch, "--date", "2024-12-31") == ExitCode.DONE
    out = capsys.readouterr().out
    assert "no (Year-end closing), the next one is 2025-01-02" in out
    assert "hours" not in out
    assert "settles" not in out


def test_what_is_less_than_sure_is_marked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert qb_rules(monkeypatch, "--date", "2026-11-19", "--symbol", "252670") == ExitCode.DONE
    out = capsys.readouterr().out
    assert "17:00-20:00  after-market" in out
    assert "since 2026-09-14 (unverified): " in out
    assert "(fairly sure): Korea Investment & Securities" in out
    assert "0 % of a sale" in out


def test_json_is_one_document_with_every_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert qb_rules(monkeypatch, "--date", "2024-12-27", "--json") == ExitCode.DONE
    view = json.loads(capsys.readouterr().out)
    assert view["instrument"]["market"] == "KOSPI"
    assert view["tax"]["ppb"] == 1_500_000
    assert [view[row]["from"] for row in ("hours", "ticks", "band", "commission", "tax")] == [
        *("2019-04-29", "2023-01-25", "2018-01-01", "2018-01-01", "2025-01-01")
    ]
    assert all(view[row]["source"] for row in ("hours", "ticks", "band", "commission", "tax"))


def test_today_is_the_default(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert qb_rules(monkeypatch) in {ExitCode.DONE, ExitCode.BAD_FILE}  # the second once the calendar has run out
    capsys.readouterr()


@pytest.mark.parametrize(
    ("args", "code", "line"),
    [
        (
            ("--symbol", "999999"),
            2,
            "market and kind of 999999 are not known. Say --market KOSPI|KOSDAQ|KONEX and --kind",
        ),
        (("--symbol", "59"), 2, "'59' is not a symbol. A symbol is six letters or digits"),
        (("--date", "2024-02-30"), 2, "'2024-02-30' is not a date. Write 2024-12-27"),
        (("--date", "2017-05-02"), 3, "no trading calendar for 2017-05-02. The shipped calendar covers 2018-01-01"),
        (("--symbol", "999999", "--market", "kosdak", "--kind", "ETF"), 2, "Did you mean 'KOSDAQ'?"),
    ],
)
def test_bad_input_gets_one_line_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], code: int, line: str
) -> None:
    assert qb_rules(monkeypatch, *args) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert line in said.err
    assert said.err.count("\n") == 1
