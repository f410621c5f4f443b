"""Which account a command means that stands beside a session."""

import os
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from qbtrade.adapters.emulator.plan import CREDENTIALS
from qbtrade.adapters.kis.environment import Environment, EnvKind
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.app.config import Settings, load_settings
from qbtrade.app.kis_account import environment_of, is_local, kind_of, local_environment
from qbtrade.app.live.status_file import Seen, is_running, shown

NOBODY: Final = ("http://127.0.0.1:1", "ws://127.0.0.1:1")
"""Where the emulator of a session would be that does not run."""


def account_meant(folder: Path, asked: str) -> tuple[Environment, Seen | None]:
    """The account that is meant, and its session if one runs."""
    settings = load_settings(Path.cwd(), os.environ)
    running = [seen for seen in shown(folder) if is_running(folder, seen)]
    if not asked and len(running) == 1 and not settings.value("kis.env"):
        asked = running[0].environment
    kind = kind_of(settings, asked)
    seen = next((each for each in running if each.environment == kind), None)
    return _environment(settings, kind, seen), seen


def _environment(settings: Settings, kind: EnvKind, seen: Seen | None) -> Environment:
    """As configured; the emulator of a session is found by what the session showed."""
    if not is_local(settings, kind):
        return environment_of(settings, kind)
    speaks: Dialect = settings.value("kis.speaks") or "real"
    environment = local_environment(settings, speaks, CREDENTIALS[speaks], NOBODY)
    return replace(environment, rest_url=seen.urls[0], ws_url=seen.urls[1]) if seen else environment
