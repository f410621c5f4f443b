"""Where a live session trades: the environment, the market's clock, and the local KIS where one is started for it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import msgspec

from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.adapters.kis.environment import Environment, EnvKind
from qbtrade.adapters.kis.http import HttpReply, HttpRequest
from qbtrade.adapters.kis.transport import call_once
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.app.config import Settings
from qbtrade.app.kis_account import environment_of, is_here, is_local, local_environment
from qbtrade.app.live.view_plan import ViewPlan, view_plan
from qbtrade.app.plan import SimulationPlan
from qbtrade.errors import BrokerError, UsageError
from qbtrade.kernel.clock import LiveClock

CLOCK_PATH: Final = "/emulator/clock"


class World(msgspec.Struct, frozen=True):
    """One environment and its time. clock: for the kernel thread; take twins for others. is_local: ends with us.

    views: how others may watch.
    """

    environment: Environment
    clock: LiveClock
    is_local: bool = False
    views: ViewPlan = ViewPlan()


class _Time(msgspec.Struct):
    now: str
    speed: int


@contextmanager
def open_world(settings: Settings, kind: EnvKind, plan: SimulationPlan) -> Iterator[World]:
    """The environment of a kind, while the `with` lasts. Raises: ConfigError, UsageError, BrokerError."""
    if not is_local(settings, kind):
        environment = environment_of(settings, kind)
        yield World(environment, clock_of(environment, plan.speed), views=view_plan(settings))
        return
    from qbtrade.app.emulator import open_emulator  # a session elsewhere starts sooner without it

    speaks: Dialect = settings.value("kis.speaks") or "real"
    mock = plan.mock
    emulator = EmulatorPlan(
        side=speaks, symbols=plan.symbols, day=mock.first_day, days=mock.days, price=mock.price,
        scenario=mock.scenario, ticks=mock.ticks, cash=plan.cash, speed=max(plan.speed, 1), seed=plan.seed,
        commission_ppb=plan.commission_ppb, tax_ppb=plan.tax_ppb, market=plan.market, kind=plan.kind,
    )  # fmt: skip
    server = open_emulator(emulator)
    try:
        urls = server.start()
        environment = local_environment(settings, speaks, server.credentials, urls)
        yield World(environment, server.clock.twin(), is_local=True, views=view_plan(settings))
    finally:
        server.stop()


def clock_of(environment: Environment, speed: int = 0) -> LiveClock:
    """The market's clock of an environment; an emulator tells its own. Raises: BrokerError, UsageError.

    An emulator on this machine may stand in for KIS's own real or paper side: then its clock counts there, too.
    speed: what was asked for, which must be the emulator's own, or 0.
    """
    if environment.kind is EnvKind.EMULATOR:
        return _told_clock(environment, speed)
    if is_here(environment.rest_url):
        with suppress(BrokerError):  # something else on this machine that leads to KIS
            return _told_clock(environment, speed)
    return LiveClock()


def _told_clock(environment: Environment, speed: int) -> LiveClock:
    url = environment.rest_url.rstrip("/") + CLOCK_PATH
    reply = call_once(
        HttpRequest(request_id=0, method="GET", url=url, headers={}, timeout_ns=environment.limits.read_timeout_ns)
    )
    try:
        if not isinstance(reply, HttpReply):
            raise BrokerError("no emulator answers at {url}: {cause}", url=environment.rest_url, cause=reply.reason)
        told = msgspec.json.decode(reply.body, type=_Time)
    except msgspec.DecodeError as error:
        raise BrokerError("{url} is no emulator of qb", url=environment.rest_url) from error
    if speed > 1 and speed != told.speed:
        raise UsageError("the emulator runs at --speed {speed}", hint="Leave --speed out", speed=told.speed)
    return LiveClock(start=int(told.now), speed=told.speed)
