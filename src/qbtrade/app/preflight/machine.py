"""The machine: interpreter, disk, clock, time zone, and whether it may fall asleep."""

import platform
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

from qbtrade.adapters.awake import kept_awake, tool_here
from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.environment import EnvKind
from qbtrade.app.preflight.case import Case
from qbtrade.app.preflight.rows import Finding, fail, ok, skip, warn
from qbtrade.domain.calendar import NS
from qbtrade.kernel.clock import wall_ns

OLDEST: Final = (3, 11)
MB: Final = 10**6
TIGHT: Final = 1_000 * MB
FULL: Final = 200 * MB
SKEW_SEEN: Final = 2 * NS
SKEW_TOO_LARGE: Final = 10 * NS
KST_OFFSET: Final = 9 * 3600


def python(_case: Case) -> Finding:
    """The interpreter is one that qb runs on."""
    told = f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST:
        return fail(told, "Install Python 3.11 or newer")
    return ok(told)


def disk(case: Case) -> Finding:
    """There is room for the journal."""
    place = next(path for path in (case.home.absolute(), *case.home.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    megabytes = f"{free // MB:,}"
    told = f"{megabytes} MB are free at {place}"
    if free < FULL:
        return fail(told, "Make room, or set QB_HOME to another disk")
    if free < TIGHT:
        return warn(told, "Make room, or set QB_HOME to another disk")
    return ok(told)


def clock(case: Case) -> Finding:
    """Our clock shows the time of KIS's."""
    case.answer(calls.price(case.environment, case.symbols[0]))
    skew = case.asker.skew
    if skew is None:
        return skip("KIS told no time")
    slack = (case.clock.speed - 1) * NS  # of an emulator in a hurry: the header tells whole seconds
    seconds = f"{abs(skew) / NS:.1f}"
    told = f"{seconds} s behind the clock of KIS" if skew > 0 else f"{seconds} s ahead of the clock of KIS"
    mend = "Let the machine set its clock over the network (NTP)"
    if case.kind is EnvKind.EMULATOR:
        return (
            ok("the emulator's clock")
            if abs(skew) <= SKEW_SEEN + NS + slack
            else fail(told, "Start the emulator again")
        )
    if abs(skew) > SKEW_TOO_LARGE + slack:
        return fail(told, mend)
    return warn(told, mend) if abs(skew) > SKEW_SEEN + slack else ok(told)


def time_zone(_case: Case) -> Finding:
    """Where the machine thinks it is; qb itself reckons in KST."""
    offset = time.localtime(wall_ns() // NS).tm_gmtoff
    if offset == KST_OFFSET:
        return ok("the machine shows KST")
    return ok(f"the machine shows UTC{offset / 3600:+g}; qb tells all times in KST")


def sleep(_case: Case) -> Finding:
    """`qb live` can keep the machine awake; tried, since having the tool is not being allowed to."""
    mend, tool = "Switch off sleep and closing the lid until the close", tool_here()
    if not tool:
        return warn("nothing here can keep the machine awake", mend)
    with kept_awake() as granted:
        if granted:
            return ok(f"{tool} keeps the machine awake during a session")
    return warn(f"{tool} is here, but may not keep the machine awake", mend)


CHECKS: Final[Mapping[str, Callable[[Case], Finding]]] = {
    "python": python,
    "disk": disk,
    "clock": clock,
    "time-zone": time_zone,
    "sleep": sleep,
}
