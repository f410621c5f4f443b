"""KIS's own kis_devlp.yaml, which its samples read: flat lines of `name: "value"`. It is never written.

Source: PROTOCOL 9.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from qbtrade.adapters.kis.environment import HOSTS, EnvKind
from qbtrade.errors import ConfigError

NAME: Final = "kis_devlp.yaml"
_LINE: Final = re.compile(r"""\s*([A-Za-z_]\w*)\s*:\s+(?:"([^"]*)"|'([^']*)'|([^#"'\s][^#]*?))?\s*(?:#.*)?""")
_SIDES: Final = {
    EnvKind.REAL: ("my_app", "my_sec", "my_acct_stock", ("prod", "ops")),
    EnvKind.PAPER: ("paper_app", "paper_sec", "my_paper_stock", ("vps", "vops")),
}
_ID: Final = "my_htsid"
_PRODUCT: Final = "my_prod"
_LARGEST: Final = 100_000


def usual_place(env: Mapping[str, str]) -> Path | None:
    """Where KIS's samples look for it; None without a home folder."""
    home = env.get("HOME") or env.get("USERPROFILE")
    return Path(home) / "KIS" / "config" / NAME if home else None


def read(path: Path, *, must_exist: bool = False) -> dict[str, tuple[str, str]]:
    """Each key of ours that it speaks of, with its name there and its value. Raises: ConfigError.

    A side whose addresses are not KIS's own is left out: its keys are another server's.
    """
    if not must_exist and not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            rows = _rows(file.read(_LARGEST))
    except OSError as error:
        raise ConfigError("{place}: {cause}", place=path, cause=error.strerror or error) from error
    found: dict[str, tuple[str, str]] = {}
    for kind, (app_key, app_secret, account, addresses) in _SIDES.items():
        if all(rows.get(name, own).rstrip("/") == own for name, own in zip(addresses, HOSTS[kind], strict=True)):
            values = {
                "app_key": (app_key, rows.get(app_key, "")),
                "app_secret": (app_secret, rows.get(app_secret, "")),
                "account": (account, _account(rows.get(account, ""), rows.get(_PRODUCT, ""))),
                "hts_id": (_ID, rows.get(_ID, "")),
            }
            found |= {f"kis.{kind}.{field}": said for field, said in values.items() if said[1]}
    return found


def _rows(text: str) -> dict[str, str]:
    matches = (_LINE.fullmatch(line) for line in text.lstrip("\ufeff").splitlines())
    return {found[1]: (found[2] or found[3] or found[4] or "").strip() for found in matches if found}


def _account(number: str, product: str) -> str:
    return f"{number}-{product}" if number and product and "-" not in number else number
