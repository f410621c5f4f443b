"""What other machines see of a session, where a Redis is configured, and the halt that they may ask for there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from qbtrade.adapters.kis.environment import Environment
from qbtrade.app.account_files import account_name
from qbtrade.app.halt_flag import read_halt, set_halt
from qbtrade.app.live.view_plan import ViewPlan
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.loop import Inbox
from qbtrade.ports import Clock


class Views(Protocol):
    """Shows a session to others. All of it returns at once."""

    def follow(self, bus: Bus) -> None:
        """Tell every event from here on."""
        ...

    def show(self, account: str, picture: dict[str, str]) -> None:
        """Tell what the session looks like now."""
        ...


class NoViews:
    """Nobody watches."""

    def follow(self, bus: Bus) -> None:
        """Tell nothing."""

    def show(self, account: str, picture: dict[str, str]) -> None:
        """Tell nothing."""


@contextmanager
def open_views(
    plan: ViewPlan, home: Path, environment: Environment, run_id: str, inbox: Inbox, clock: Clock
) -> Iterator[Views]:
    """The views of one run. A halt that somebody asks for there is one of the account, as by `qb halt`.

    Raises: ConfigError for an address that is none; a server that is away is waited for.
    """
    if not plan.url:
        yield NoViews()
        return
    from qbtrade.adapters.redis.bridge import Bridge
    from qbtrade.adapters.redis.commands import Commands

    def obey(reason: str) -> None:
        if read_halt(home, environment) is None:
            set_halt(home, environment, reason)

    commands = Commands(plan.halt_key.reveal(), account_name(environment))
    bridge = Bridge(plan.url.reveal(), run_id, commands, inbox, clock, obey)
    try:
        yield bridge
    finally:
        bridge.close()
