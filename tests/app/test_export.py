"""CSV exports: whole tables under the published column names."""

import csv
from pathlib import Path

import pytest

from qbtrade.app.export import TABLES, columns, export_csv
from qbtrade.app.report import build
from qbtrade.errors import FileError
from tests.recordings import Recording, a_traded_day

REPORT = build(a_traded_day().events)


def test_folder_receives_every_table(tmp_path: Path) -> None:
    written = export_csv(REPORT, tmp_path / "new" / "export")
    assert [path.name for path in written] == [f"{table}.csv" for table in TABLES]
    with (tmp_path / "new" / "export" / "fills.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{name: str(value) for name, value in fill.items()} for fill in REPORT["fills"]]


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_the_keys_of_the_rows_in_their_order(table: str) -> None:
    for row in REPORT[table]:
        assert tuple(row) == columns(table)


def test_table_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    export_csv(build(Recording().start().events), tmp_path)
    assert (tmp_path / "round_trips.csv").read_text().splitlines() == [",".join(columns("round_trips"))]


def test_file_named_after_a_table_receives_that_table_alone(tmp_path: Path) -> None:
    assert export_csv(REPORT, tmp_path / "equity_curve.csv") == (tmp_path / "equity_curve.csv",)
    assert [path.name for path in tmp_path.iterdir()] == ["equity_curve.csv"]


def test_file_named_otherwise_is_refused_with_the_names(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"names no table\. Give a folder, or one of orders.csv, fills.csv"):
        export_csv(REPORT, tmp_path / "fill.csv")
    assert list(tmp_path.iterdir()) == []


def test_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot create folder"):
        export_csv(REPORT, tmp_path / "file")
