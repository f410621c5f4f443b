"""`qb emulator`: a local KIS to rehearse against, with any client."""

import sys
from collections.abc import Iterable
from typing import Annotated, Final, Literal

import msgspec
import typer

from qbtrade.adapters.emulator.actions import planned
from qbtrade.adapters.emulator.faults import FAULTS
from qbtrade.adapters.emulator.incidents import incident_at
from qbtrade.adapters.emulator.plan import Credentials, EmulatorPlan
from qbtrade.app import units
from qbtrade.app.emulator import open_public_emulator
from qbtrade.cli.pages import option
from qbtrade.cli.text import _
from qbtrade.domain.calendar import iso_kst, parse_ts
from qbtrade.domain.instrument import parse_symbol
from qbtrade.domain.money import PPB
from qbtrade.errors import EngineFault, ExitCode, UnknownNameError, UsageError
from qbtrade.kernel.clock import sleep
from qbtrade.kernel.loop import StopRequest

SIDES: Final = ("real", "paper")
_ISO_DATE: Final = 10
_HIGHEST_PORT: Final = 65_534
_NAP: Final = 0.1

Symbols = Annotated[
    list[str] | None, option("--symbol", metavar="SYMBOL", default="005930", text=_("What is traded; repeatable"))
]
Side = Annotated[str, typer.Option("--side", metavar="NAME", help=_("real or paper: TR ids, limits and abilities"))]
Day = Annotated[
    str | None, option("--day", metavar="DATE", default="2026-11-02", text=_("First market day; it starts at 08:50"))
]
Days = Annotated[str, typer.Option("--days", metavar="N", help=_("Trading days of the made market"))]
Price = Annotated[
    str | None, option("--price", metavar="WON", default=_("near 75,000"), text=_("Price of the first open"))
]
Scenario = Annotated[str, typer.Option("--scenario", metavar="NAME", help=_("calm, trend, crash, limit-up or halt"))]
Ticks = Annotated[str, typer.Option("--ticks", metavar="N", help=_("Trades per symbol and day"))]
Source = Annotated[
    list[str] | None, option("--source", metavar="FILE", default=_("made market"), text=_("Replay files; repeatable"))
]
Cash = Annotated[str, typer.Option("--cash", metavar="WON", help=_("Cash of the account"))]
Speed = Annotated[str, typer.Option("--speed", metavar="N", help=_("Market seconds per second"))]
Seed = Annotated[str, typer.Option("--seed", metavar="N", help=_("Same seed, same market and faults"))]
Port = Annotated[
    str | None, option("--port", metavar="N", default=_("any two"), text=_("Port of REST; the stream has the next"))
]
FaultList = Annotated[
    list[str] | None,
    option("--fault", metavar="NAME[=RATE]", text=_("Something that goes wrong, always or at a rate; repeatable")),
]
EventList = Annotated[
    list[str] | None,
    option(
        "--event", metavar="NAME@HH:MM",
        text=_("What befalls the market: sell-sidecar, buy-sidecar, circuit-breaker, circuit-breaker-3; repeatable"),
    ),
]  # fmt: skip
Calls = Annotated[
    str | None,
    option("--calls", metavar="N", default=_("the side's"), text=_("REST calls a second; a new customer has 3")),
]
Halted = Annotated[list[str] | None, option("--halted", metavar="SYMBOL", text=_("Does not trade at all; repeatable"))]
Record = Annotated[str | None, option("--record", metavar="FILE", text=_("Keep the wire, without secrets"))]
Market = Annotated[str, option("--market", metavar="NAME", text=_("KOSPI, KOSDAQ or KONEX, where qb does not know"))]
Kind = Annotated[str, option("--kind", metavar="NAME", text=_("STOCK, ETF or ETN, where qb does not know"))]
ListFaults = Annotated[bool, typer.Option("--faults", help=_("List what can go wrong and end"))]
Json = Annotated[bool, typer.Option("--json", help=_("One JSON document on stdout"))]


def emulator(
    *,
    symbol: Symbols = None, side: Side = "real", day: Day = None, days: Days = "1", price: Price = None,
    scenario: Scenario = "calm", ticks: Ticks = "20000", source: Source = None, cash: Cash = "10000000",
    speed: Speed = "1", seed: Seed = "0", port: Port = None, fault: FaultList = None, event: EventList = None,
    calls: Calls = None, halted: Halted = None,
    record: Record = None, market: Market = "", kind: Kind = "",
    faults: ListFaults = False, json: Json = False,
) -> None:  # fmt: skip
    """Run a local KIS until Ctrl+C: REST and stream on localhost, a market, an account of play money."""
    from qbtrade.cli.interrupt import Interrupts

    if faults:
        typer.echo("\n".join(_fault_lines()))
        return
    for each in event or ():
        if planned(each) is None:
            incident_at(each)
    plan = EmulatorPlan(
        side=_side(side),
        symbols=tuple(dict.fromkeys(parse_symbol(each) for each in symbol or ())),
        day=_day(day),
        days=units.whole("--days", days, least=1, most=250),
        price=units.whole("--price", price, least=1, most=10**8) if price else 0,
        scenario=scenario,
        ticks=units.whole("--ticks", ticks, least=2, most=10**7),
        source=tuple(source or ()),
        cash=units.whole("--cash", cash, least=1),
        speed=units.whole("--speed", speed, least=1, most=10_000),
        seed=units.whole("--seed", seed),
        port=units.whole("--port", port, least=1, most=_HIGHEST_PORT) if port else 0,
        faults=dict(map(_fault, fault or ())),
        events=tuple(event or ()),
        calls_per_second=units.whole("--calls", calls, least=1, most=1000) if calls else 0,
        record=record or "",
        halted=tuple(parse_symbol(each) for each in halted or ()),
        market=market,
        kind=kind,
    )
    server, stop = open_public_emulator(plan), StopRequest()
    with Interrupts(stop, _("the emulator closes")):
        try:
            urls = server.start()
            typer.echo(document(plan, urls) if json else "\n".join(page(plan, urls, server.clock.now())))
            sys.stdout.flush()
            while not stop.asked and server.is_running:
                sleep(_NAP)
        finally:
            server.stop()
    if not stop.asked:
        raise EngineFault(f"the emulator broke down: {server.failure}")
    raise typer.Exit(ExitCode.INTERRUPTED)


def variables(plan: EmulatorPlan, urls: tuple[str, str]) -> dict[str, str]:
    """What points qb at the emulator."""
    held = plan.credentials
    return {
        "QB_KIS_ENV": "emulator",
        "QB_KIS_SPEAKS": plan.side,
        "QB_KIS_REST_URL": urls[0],
        "QB_KIS_WS_URL": urls[1],
        "QB_KIS_APP_KEY": held.app_key,
        "QB_KIS_APP_SECRET": held.app_secret,
        "QB_KIS_ACCOUNT": held.account,
        "QB_KIS_HTS_ID": held.hts_id,
    }


def sample_names(plan: EmulatorPlan, urls: tuple[str, str]) -> dict[str, str]:
    """The same under the names of KIS's own kis_devlp.yaml."""
    held: Credentials = plan.credentials
    number, product = held.account.split("-")
    own = ("my_app", "my_sec", "my_acct_stock", "prod", "ops")
    paper = ("paper_app", "paper_sec", "my_paper_stock", "vps", "vops")
    values = (held.app_key, held.app_secret, number, *urls)
    names = own if plan.side == "real" else paper
    return {**dict(zip(names, values, strict=True)), "my_htsid": held.hts_id, "my_prod": product}


def document(plan: EmulatorPlan, urls: tuple[str, str]) -> str:
    """Everything as JSON."""
    told = {"rest_url": urls[0], "ws_url": urls[1], "side": plan.side, "speed": plan.speed}
    both = {**told, "environment": variables(plan, urls), "kis_devlp": sample_names(plan, urls)}
    return msgspec.json.encode(both).decode()


def page(plan: EmulatorPlan, urls: tuple[str, str], now: int) -> Iterable[str]:
    """Everything as plain text."""
    yield _("A local KIS ({side}) is running; its market time is {time}, {speed} times as fast as yours.").format(
        side=plan.side, time=iso_kst(now)[:19].replace("T", " "), speed=plan.speed
    )
    yield f"  REST    {urls[0]}"
    yield f"  stream  {urls[1]}"
    yield ""
    yield _("For qb:")
    yield from (f"  export {name}={text}" for name, text in variables(plan, urls).items())
    yield ""
    yield _("For KIS's own samples, in kis_devlp.yaml:")
    yield from (f'  {name}: "{text}"' for name, text in sample_names(plan, urls).items())
    yield ""
    yield _("Ctrl+C ends it.")


def _fault_lines() -> Iterable[str]:
    width = max(map(len, FAULTS))
    return (f"{name:<{width}}  {_(text)}" for name, text in FAULTS.items())


def _side(text: str) -> Literal["real", "paper"]:
    match text.strip().lower():
        case "real":
            return "real"
        case "paper":
            return "paper"
        case _other:
            raise UnknownNameError("side", text, SIDES)


def _day(text: str | None) -> str:
    if text is None:
        return ""
    try:
        parse_ts(text)
    except UsageError as error:
        raise UsageError("{text!r} is not a date", hint="Write 2024-12-27", text=text) from error
    if len(text.strip()) != _ISO_DATE:
        raise UsageError("{text!r} is not a date", hint="Write 2024-12-27", text=text)
    return text.strip()


def _fault(text: str) -> tuple[str, int]:
    name, equals, rate = text.partition("=")
    if name not in FAULTS:
        raise UnknownNameError("fault", name, FAULTS)
    return name, units.rate("--fault", rate) if equals else PPB
