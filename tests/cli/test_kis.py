import json
import sys

import pytest

from qbtrade.adapters.kis.codes import CODES
from qbtrade.cli.main import run
from qbtrade.cli.text import _
from qbtrade.errors import ExitCode


def qb_kis(monkeypatch: pytest.MonkeyPatch, *args: str) -> int:
    """Run `qb kis` as the shell would; its exit code."""
    monkeypatch.setattr(sys, "argv", ["qb", "kis", *args])
    with pytest.raises(SystemExit) as ended:
        run()
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_a_code_is_told_with_its_advice_and_what_it_proves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert qb_kis(monkeypatch, "error", "apbk0952") == ExitCode.DONE
    assert capsys.readouterr().out.splitlines() == [
        "APBK0952",
        "  meaning               more than can be bought",
        "  what to do            Lower --max, or put money in",
        "  an order that met it  it was refused, for certain",
        "  how sure              seen by others, not written by KIS",
    ]


def test_a_limit_never_proves_that_an_order_was_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert qb_kis(monkeypatch, "error", "EGW00201") == ExitCode.DONE
    assert "it may exist all the same" in capsys.readouterr().out


def test_an_unknown_code_offers_the_nearest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert qb_kis(monkeypatch, "error", "APBK952") == ExitCode.USAGE
    assert "APBK0952" in capsys.readouterr().err


def test_all_codes_are_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert qb_kis(monkeypatch, "codes") == ExitCode.DONE
    out = capsys.readouterr().out
    assert [code for code in CODES if code not in out] == []


def test_json_is_one_document(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert qb_kis(monkeypatch, "error", "EGW00133", "--json") == ExitCode.DONE
    assert json.loads(capsys.readouterr().out)["verdict"] == "WAIT"
    assert qb_kis(monkeypatch, "codes", "--json") == ExitCode.DONE
    assert len(json.loads(capsys.readouterr().out)) == len(CODES)


def test_every_code_is_told_in_korean_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QB_LANG", "ko")
    said = [text for row in CODES.values() for text in (row.meaning, row.advice)]
    assert [text for text in said if _(text) == text] == []
