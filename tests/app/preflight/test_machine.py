from datetime import timedelta
from pathlib import Path

import pytest

from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.app.preflight import Status
from tests.app.preflight.stand import Lies, lied, lying_kis, row, rows


def test_the_machine_is_described(tmp_path: Path) -> None:
    found = rows(tmp_path, {}, "python", "disk", "time-zone", "sleep")

    assert found["python"].status is Status.OK
    assert found["time-zone"].status is Status.OK
    assert "MB are free at" in found["disk"].seen
    assert found["sleep"].status in {Status.OK, Status.WARN}


@pytest.mark.parametrize(
    ("late", "status"),
    [(0, Status.OK), (5, Status.WARN), (-5, Status.WARN), (60, Status.FAIL), (-3600, Status.FAIL)],
)
def test_a_clock_that_differs_from_that_of_kis_is_seen_by_its_date_header(
    late: int, status: Status, tmp_path: Path
) -> None:
    lies = Lies(late=timedelta(seconds=late), real_date=True)
    with lying_kis(lies) as variables:
        found = row(tmp_path, {**variables, "QB_KIS_ENV": "real"}, "clock")

    assert found.status is status
    assert ("behind" in found.seen) == (late >= 0) or late == 0


def test_an_emulator_whose_clock_is_off_fails(tmp_path: Path) -> None:
    assert lied(tmp_path, "clock", Lies(late=timedelta(minutes=5))).status is Status.FAIL
    assert lied(tmp_path, "clock", Lies(), EmulatorPlan(speed=6)).status is Status.OK


def test_without_an_answer_there_is_no_time_to_compare(tmp_path: Path) -> None:
    assert lied(tmp_path, "clock", Lies(html=("*",))).status is Status.SKIP
