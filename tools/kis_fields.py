"""Writes the tables of adapters/kis_fields.py.

python tools/kis_fields.py FIELDS_JSON   FIELDS_JSON: the field lists collected from KIS's documents
"""

import json
import re
import sys
from collections.abc import Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

MODULE: Final = Path(__file__).parent.parent / "src" / "qbtrade" / "adapters" / "kis_fields.py"
MARK: Final = "# What follows is written by tools/kis_fields.py.\n"
STREAMS: Final = ("H0STCNT0", "H0STASP0", "H0STCNI0", "H0STCNI9", "H0STCNI9_LEGACY23", "H0STMKO0")
"""Stream TRs of KRX; other venues are not traded."""
UNUSED: Final = ("inquire-account-balance", "inquire-daily-price", "market-time")
_DAY: Final = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?")
_WIDE: Final = 120


def generated(fields: dict[str, Any]) -> str:
    """The tables as Python text."""
    tables = (_streams(fields), _widths(fields), _rest(fields["_rest"]), _codes(fields["_codes"]))
    return "\n".join(["# fmt: off", *chain(*tables), "# fmt: on"]) + "\n"


def _streams(fields: dict[str, Any]) -> Iterator[str]:
    yield "FIELDS: Final[Mapping[str, tuple[str, ...]]] = {"
    for tr_id in STREAMS:
        yield f'    "{tr_id}": _names("""'
        yield from _filled([row["name"] for row in fields[tr_id]])
        yield '    """),'
    yield from ("}", '"""Fields of one record of a stream TR, in order."""')
    meta = fields["_meta"]
    yield f"PAPER_STREAMS: Final = frozenset({{{_quoted(meta['paper_ws'])}}})"
    yield f"ENCRYPTED: Final = frozenset({{{_quoted(meta['encrypted'])}}})"


def _filled(names: list[str]) -> list[str]:
    return [f"        {line}" for line in wrap(" ".join(names), _WIDE - 12)]


def _widths(fields: dict[str, Any]) -> Iterator[str]:
    yield "WIDTHS: Final[Mapping[str, tuple[tuple[date, int], ...]]] = {"
    for tr_id, history in fields["_meta"]["width_history"].items():
        if tr_id in STREAMS:
            rows = [f"({_since(row)}, {row['width']})" for row in history if row is history[0] or "from" in row]
            yield f'    "{tr_id}": {_tuple(rows)},'
    yield from ("}", '"""Width of a record and the first day on which it was seen, oldest first."""')


def _since(row: dict[str, str]) -> str:
    found = _DAY.search(row.get("from", ""))
    if not found:
        return "date.min"
    day = date(int(found[1]), int(found[2]), int(found[3] or 1))
    return f"date({day.year}, {day.month}, {day.day})"


def _rest(rest: dict[str, Any]) -> Iterator[str]:
    yield "REST: Final[Mapping[str, RestTr]] = {"
    for name, row in rest.items():
        if name not in UNUSED:
            yield f'    "{name}": RestTr('
            yield f'        "{row["method"]}", "{row["path"]}",'
            yield f"        {_ids(row['tr_real'])}, {_ids(row['tr_paper'])},"
            yield '        _names("""'
            yield from (f"    {line}" for line in _filled([field["name"] for field in row["request"]]))
            yield '        """),'
            yield from _paging(row)
            yield "    ),"
    yield from ("}", '"""REST transactions by the last part of their path."""')


def _ids(ids: dict[str, str] | str | None) -> str:
    rows = ids.items() if isinstance(ids, dict) else [("", ids)] if ids else []
    return "{" + ", ".join(f'"{variant}": "{tr_id}"' for variant, tr_id in rows) + "}"


def _paging(row: dict[str, Any]) -> Iterator[str]:
    names = sorted(field["name"] for field in row["request"] if field["name"].startswith("CTX_AREA_"))
    if names:
        yield f"        ctx=({_quoted(names)}),"
    rows = row.get("rows_per_call", {})
    if rows:
        least = rows.get("any", 0)
        yield f"        rows=({rows.get('real', least)}, {rows.get('paper', least)}),"


def _codes(codes: dict[str, Any]) -> Iterator[str]:
    yield "ORDER_CODES: Final[Mapping[str, OrderCode]] = {"
    for row in codes["ORD_DVSN"]:
        venues = _tuple([f'"{venue}"' for venue in row["venues"]])
        yield f'    "{row["code"]}": OrderCode("{row["name"]}", {venues}),'
    yield from ("}", '"""Values of ORD_DVSN."""')


def _tuple(parts: list[str]) -> str:
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def written(module: str, fields: dict[str, Any]) -> str:
    """The module with its tables written anew."""
    head, mark, _tables = module.partition(MARK)
    return head + mark + "\n" + generated(fields)


def main() -> None:
    """Write the tables."""
    fields = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    MODULE.write_text(written(MODULE.read_text(encoding="utf-8"), fields), encoding="utf-8")


if __name__ == "__main__":
    main()
