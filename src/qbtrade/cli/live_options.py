"""The options of `qb live`: those it shares with `qb simulate`, and its own."""

import inspect
import re
from collections.abc import Mapping
from datetime import time
from typing import Any, Final

from msgspec.structs import replace

from qbtrade.adapters.kis.environment import EnvKind
from qbtrade.app import units
from qbtrade.app.config import Settings
from qbtrade.app.kis_account import is_local
from qbtrade.app.live.plan import WATCHDOG_AFTER, LivePlan, OnExit, Until
from qbtrade.cli import options
from qbtrade.cli.ask import plan_of
from qbtrade.cli.options import EXCHANGE, LIMITS, MADE, OUTPUT, RUN, Option
from qbtrade.cli.text import _
from qbtrade.errors import UnknownNameError, UsageError

OWN: Final = (
    Option("--env", "", options.as_is, "NAME", _("paper, real or emulator"), "paper"),
    Option("--until", "", options.as_is, "TIME", _("End at the close, before it (close-10m) or at 14:30"), "close"),
    Option(
        "--on-exit", "", options.as_is, "NAME", _("At the end: cancel orders, cancel+flatten, or leave them"), "cancel"
    ),
)
_MEANT_LIVE: Final = {
    "--symbol": ("", "SYMBOL", "005930"),
    "--bar": ("", "LENGTH", "1m"),
    "--cash": (_("Cash of a dry run, or of the emulator's account, in won"), "WON", "10,000,000"),
    "--seed": (_("Chance in simulated fills and in the emulator's market"), "N", "0"),
    "--speed": (_("Market seconds per second, with --env emulator"), "N", "1"),
}
"""Text ("" for the usual one), metavar and default of options that a live session takes otherwise than a rehearsal."""
ORDER_KIND: Final = tuple(option for option in EXCHANGE if option.flag == "--order-kind")
MADE_HERE: Final = tuple(option for option in MADE if option.flag not in {"--days", "--volatility"})
"""What shapes the market of an emulator that is started for the session."""
DRY: Final = ("cash", "seed")
"""What shapes simulated fills and their account, too."""
LOCAL_ONLY: Final = ("seed", *(option.name for option in MADE_HERE))
_UNTIL: Final = re.compile(r"close(?:-(\w+))?")
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")

LIVE_KEYS: Final = ("rejects", "reject_window", "compare_every", "base_slack", "paper_first")


def signature() -> inspect.Signature:
    """What typer needs to know of every option, in the order of the help page."""
    run, output = _("Strategy and run"), _("Output")
    return inspect.Signature(
        [
            *options.declared(OWN, _("Session")),
            options.switch("--dry-run", _("Session"), _("Real data, simulated fills: no order is sent")),
            options.switch("--no-watchdog", _("Session"), _("Nobody cancels entries when this process hangs or dies")),
            options.switch(
                "--yes",
                _("Session"),
                _("Confirm real money beforehand, together with QB_ALLOW_REAL=1; else it is typed"),
            ),
            *options.declared(map(_meant_live, (*RUN, *ORDER_KIND)), run),
            *options.declared(MADE_HERE, _("Market of --env emulator")),
            *options.declared(LIMITS, _("Limits")),
            *options.declared(OUTPUT, output),
            options.switch("--json", output, _("The report alone on stdout, as JSON; all else on stderr")),
            options.switch("--quiet", output, _("Nothing on the screen but errors")),
        ]
    )


def _meant_live(option: Option) -> Option:
    text, metavar, default = _MEANT_LIVE.get(option.flag, (option.text, option.metavar, option.default))
    return option._replace(text=text or option.text, metavar=metavar, default=default)


def live_plan(typed: Mapping[str, Any], settings: Settings, kind: EnvKind) -> LivePlan:
    """The session that was asked for. Raises: UsageError that names the flag."""
    if typed["speed"] is not None and not units.speed("--speed", typed["speed"]):
        hint = "Give a number; 60 makes a day in seven minutes"
        raise UsageError("--speed: a live session needs a pace of its own", hint=hint)
    session = plan_of(typed, settings)
    if not is_local(settings, kind):
        _refuse(typed, (*LOCAL_ONLY, "cash"), kind, dry_run=typed["dry_run"])
    rate = settings.value("venue.reject_rate") or 0
    speed = pace_of(typed["speed"], session.speed, kind, local=is_local(settings, kind))
    session = replace(session, venue=replace(session.venue, reject_rate=rate), speed=speed)
    on_exit = (typed["on_exit"] or OnExit.CANCEL).strip().lower()
    if on_exit not in tuple(OnExit):
        raise UnknownNameError("--on-exit", on_exit, OnExit)
    said = settings.value("live.watchdog_after")
    after = 0 if typed["no_watchdog"] else WATCHDOG_AFTER if said is None else said
    until = until_of(typed["until"] or "close")
    record = settings.value("live.record") is not False
    plan = LivePlan(session, typed["dry_run"], until, OnExit(on_exit), watchdog_after=after, record=record)
    said_of = {name: settings.value(f"live.{name}") for name in LIVE_KEYS}
    return replace(plan, **{name: value for name, value in said_of.items() if value is not None})


def pace_of(typed: str | None, said: int, kind: EnvKind, *, local: bool) -> int:
    """Market seconds per second. said: what was typed or is configured."""
    if typed is None:
        return max(said, 1) if local else 1  # what is configured for rehearsals is for no clock but our own
    if said > 1 and kind is not EnvKind.EMULATOR:
        raise UsageError("--speed is for --env emulator", hint="A real market has its own pace")
    return said


def _refuse(typed: Mapping[str, Any], names: tuple[str, ...], kind: EnvKind, *, dry_run: bool) -> None:
    """Say so when an option could have no effect."""
    for name in names:
        if typed.get(name) is not None and not (dry_run and name in DRY):
            flag = "--" + name.replace("_", "-")
            hint = "Leave it out, or start an emulator with --env emulator alone"
            raise UsageError("{flag} shapes the market of an emulator", hint=hint, flag=flag, kind=kind)


def until_of(text: str) -> Until:
    """Read `close`, `close-10m` or `14:30`. Raises: UsageError."""
    plain = text.strip().lower()
    if found := _CLOCK.fullmatch(plain):
        return Until(at=time(int(found[1]), int(found[2])))
    if found := _UNTIL.fullmatch(plain):
        return Until(before_close=units.duration("--until", found[1]) if found[1] else 0)
    raise UsageError("--until: {text!r} is no moment", hint="Write close, close-10m or 14:30", text=text)
