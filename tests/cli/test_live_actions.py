"""Shares that become others overnight, while qb holds them."""

import subprocess
from datetime import date
from pathlib import Path
from typing import Any

from qbtrade.domain import events as ev
from qbtrade.domain.message import Event
from tests.builders import at
from tests.live_days import HOLD, Hosted, events, hosted, session, the_report
from tests.program import PATIENCE, QB, environment

NEXT, LAST = date(2026, 11, 3), date(2026, 11, 4)
ARGS = ("--symbol", "005930", "--max", "500000", "--strategy", "./hold.py:Hold", "--bar", "1m")


def a_day(kis: Hosted, folder: Path) -> dict[str, Any]:
    (folder / "hold.py").write_text(HOLD)
    with session(kis, folder, *ARGS) as process:
        stdout, stderr = process.communicate(timeout=PATIENCE)
    assert stderr == "", stdout[-2000:]
    return the_report(folder)


def of(folder: Path, kind: type[Event]) -> list[Any]:
    return [event for event in events(folder) if isinstance(event, kind)]


def told(kis: Hosted, folder: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [QB, "orders", "shares", "005930", "--env", "emulator", *args],
        env=environment(folder / "home", **kis.variables), cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_split_sells_nothing_and_is_written_down_with_its_evidence(tmp_path: Path) -> None:
    with hosted("15:08", days=2, events=("split@2",)) as kis:
        ((_symbol, held),) = [(each["symbol"], each["qty"]) for each in a_day(kis, tmp_path)["account"]["positions"]]
        kis.sleep_until(at("15:14", NEXT))
        report = a_day(kis, tmp_path)
        (correction,) = (each for each in report["corrections"] if each["symbol"])
        assert (correction["what"], correction["ours"], correction["theirs"]) == ("rebased", held, 5 * held)
        assert correction["seen"]
        assert correction["reason"].startswith("closed at ")
        assert [position["qty"] for position in report["account"]["positions"]] == [5 * held]
        assert kis.account()["positions"] == {"005930": 5 * held}
        assert of(tmp_path, ev.OrderSending) == []
        assert told(kis, tmp_path, "--qty", "1", "--reason", "nobody asked").returncode == 2
        shown = subprocess.run(
            [QB, "report", "show"], env=environment(tmp_path / "home"), cwd=tmp_path, capture_output=True, text=True,
            check=True,
        ).stdout  # fmt: skip
        assert f"005930  {held} -> {5 * held}  shares became others  asked at 15:" in shown


def test_rights_halt_the_symbol_until_a_person_says_what_is_held(tmp_path: Path) -> None:
    with hosted("15:08", days=3, events=("rights@2",)) as kis:
        a_day(kis, tmp_path)
        (held,) = kis.account()["positions"].values()
        kis.sleep_until(at("15:14", NEXT))
        report = a_day(kis, tmp_path)
        (alert,) = (alert for alert in report["alerts"] if alert["code"] == "price-base-changed")
        assert "005930 closed at " in alert["text"]
        assert of(tmp_path, ev.OrderSending) == []
        assert [event.reason for event in of(tmp_path, ev.SymbolHalted)] == ["price-base-changed"]
        said = told(kis, tmp_path, "--qty", str(held), "--cost", "300000", "--reason", "rights")
        assert said.returncode == 0, said.stderr
        kis.sleep_until(at("15:22", LAST))  # too late to buy
        report = a_day(kis, tmp_path)
        assert [(each["what"], each["reason"]) for each in report["corrections"] if each["symbol"]] == [
            ("told-by-hand", "rights")
        ]
        assert "price-base-changed" not in {alert["code"] for alert in report["alerts"]}
        assert [position["cost"] for position in report["account"]["positions"]] == [300_000]
