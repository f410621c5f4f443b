import json
import sys
from pathlib import Path

import pytest

from qbtrade.cli.main import run
from qbtrade.errors import ExitCode


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QB_LANG", "en")
    monkeypatch.setenv("QB_HOME", "books")


def qb_config(monkeypatch: pytest.MonkeyPatch, *args: str) -> int:
    """Run `qb config` as the shell would; its exit code."""
    monkeypatch.setattr(sys, "argv", ["qb", "config", *args])
    with pytest.raises(SystemExit) as ended:
        run()
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_every_key_is_shown_with_its_value_and_where_it_was_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("qb.toml").write_text("[limits]\nstop_loss = 0.02\n[params]\nfast = 3\n", encoding="utf-8")
    monkeypatch.setenv("QB_REDIS_URL", "redis://:hidden@localhost")

    assert qb_config(monkeypatch, "show") == ExitCode.DONE

    said = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert ["home", "books", "environment QB_HOME"] in said
    assert ["redis_url", "redis://:***@localhost", "environment QB_REDIS_URL"] in said
    assert ["limits.stop_loss", "2%", "qb.toml"] in said
    assert ["limits.collar", "3%", "default"] in said
    assert ["params.fast", "3", "qb.toml"] in said


def test_the_language_may_be_said_in_the_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("QB_LANG")
    Path("qb.toml").write_text('lang = "ko"', encoding="utf-8")

    assert qb_config(monkeypatch, "show") == ExitCode.DONE

    said = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert ["lang", "ko", "qb.toml"] in said
    assert ["simulate.seed", "0", "기본값"] in said


def test_json_is_one_document(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert qb_config(monkeypatch, "show", "--json") == ExitCode.DONE

    document = json.loads(capsys.readouterr().out)
    assert document["simulate.cash"] == {"value": "10000000", "from": "default"}
    assert document["home"] == {"value": "books", "from": "environment QB_HOME"}


def test_a_key_that_nobody_knows_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("qb.toml").write_text("[limits]\nstop_los = 0.02\n", encoding="utf-8")

    assert qb_config(monkeypatch, "show") == ExitCode.BAD_FILE

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "error: qb.toml: unknown key 'limits.stop_los'. Did you mean 'limits.stop_loss'?\n"
