"""What a person says of shares whose base price changed: kept as a file, heeded by the next session of the account."""

from pathlib import Path

import msgspec

from qbtrade.adapters.kis.environment import Environment
from qbtrade.app.account_files import account_name, write_private


class Told(msgspec.Struct, frozen=True):
    """So many shares of a symbol are qb's. day: of the base price that this answers; cost: KRW, None as before."""

    symbol: str
    day: str
    qty: int
    cost: int | None
    reason: str


def tell(home: Path, environment: Environment, told: Told) -> None:
    """Keep it. Raises: FileError."""
    write_private(_folder(home, environment) / f"{told.symbol}.json", told)


def shares_told(home: Path, environment: Environment) -> dict[str, Told]:
    """All that can be read, by symbol; what cannot says nothing, so the symbol stays halted."""
    found = filter(None, map(_read, _folder(home, environment).glob("*.json")))
    return {told.symbol: told for told in found}


def _folder(home: Path, environment: Environment) -> Path:
    return home / "shares" / account_name(environment)


def _read(path: Path) -> Told | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Told)
    except (OSError, msgspec.DecodeError):
        return None
