"""Go or no-go: what preflight found, for which configuration and on which day."""

import hashlib
import hmac
from datetime import date
from pathlib import Path

import msgspec

from qbtrade import __version__
from qbtrade.adapters.kis.environment import Environment
from qbtrade.app.account_files import verdict_path, write_private
from qbtrade.app.config import Settings
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.preflight.rows import Row, Status

NOT_PART_OF_IT = ("lang", "home")
"""Keys that change nothing of what was checked."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a preflight. day: KST, of the machine. configuration: digest, "" when it could not be read.

    account: as it may be shown. budget: KRW. seal: proves that nobody changed the file, "" where there are no keys.
    """

    go: bool
    environment: str
    account: str
    symbols: tuple[str, ...]
    budget: int
    day: date
    ts: int
    configuration: str
    version: str
    rows: tuple[Row, ...]
    seal: str = ""

    def count(self, status: Status) -> int:
        """How many rows ended so."""
        return sum(row.status is status for row in self.rows)


def digest(settings: Settings, environment: Environment, plan: SimulationPlan, market_day: date) -> str:
    """What a verdict holds for: every value but keys, of which a digest counts. market_day: KST, an emulator's own."""
    said = {key: settings.shown(key) for key in settings.keys() if key not in NOT_PART_OF_IT}  # noqa: SIM118 (no dict)
    keys = hashlib.sha256(f"{environment.app_key.reveal()}|{environment.app_secret.reveal()}".encode()).hexdigest()
    who = (environment.kind, environment.speaks, environment.account, environment.hts_id, keys)
    limits = msgspec.structs.asdict(plan.limits)
    stocks = (sorted(plan.symbols), plan.market, plan.kind, plan.commission_ppb, plan.tax_ppb)
    parts = (__version__, said, who, stocks, limits, market_day)
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:16]


def save(home: Path, environment: Environment, verdict: Verdict) -> Path:
    """Keep it for `qb live`. Raises: FileError."""
    path = verdict_path(home, environment)
    write_private(path, msgspec.structs.replace(verdict, seal=_seal(environment, verdict)))
    return path


def why_no_go(home: Path, environment: Environment, configuration: str, today: date) -> str:
    """Why `qb live` may not start on the last preflight alone, or "". today: KST, of the machine."""
    path = verdict_path(home, environment)
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Verdict)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return "no preflight was made"
    if found.seal != _seal(environment, found):
        return "the file of the last preflight was changed"
    if found.day != today:
        return f"the last preflight is of {found.day}"
    if found.configuration != configuration:
        return "something was configured anew since the last preflight"
    if not found.go:
        failed = ", ".join(row.check for row in found.rows if row.status is Status.FAIL)
        return f"the last preflight failed: {failed}"
    return ""


def _seal(environment: Environment, verdict: Verdict) -> str:
    content = msgspec.json.encode(msgspec.structs.replace(verdict, seal=""))
    return hmac.digest(environment.app_secret.reveal().encode(), content, "sha256").hex()
