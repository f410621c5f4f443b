"""`qb orders shares`: what shares have become whose base price changed overnight, as a person says it."""

from typing import Annotated

import typer

from qbtrade.app import units
from qbtrade.app.home import home
from qbtrade.app.live.carried import account_in, carried, journals
from qbtrade.app.live.shares_told import Told, tell
from qbtrade.app.live.status_file import seen_on
from qbtrade.cli.account import account_meant
from qbtrade.cli.pages import option
from qbtrade.cli.text import _
from qbtrade.domain.calendar import kst_date
from qbtrade.errors import UsageError

Symbol = Annotated[str, typer.Argument(metavar="SYMBOL", help=_("A stock that qb holds"))]
Qty = Annotated[str, option("--qty", metavar="N", text=_("So many shares of it are qb's now"))]
Cost = Annotated[
    str,
    option("--cost", metavar="KRW", default=_("as before"), text=_("What all of them cost; the stop-loss counts it")),
]
Reason = Annotated[str, option("--reason", metavar="TEXT", text=_("How you know; kept with the answer"))]
Env = Annotated[
    str, option("--env", metavar="NAME", default=_("that of the running session, or paper"), text=_("Which account"))
]


def shares(symbol: Symbol, *, qty: Qty = "", cost: Cost = "", reason: Reason = "", env: Env = "") -> None:
    """Answer for shares that were split, put together or went ex rights; the next session begins with it."""
    folder, wanted = home(), symbol.strip().upper()
    environment, _running = account_meant(folder, env)
    seen = seen_on(folder, environment)
    account = account_in(folder, seen.run_id) if seen else ""
    found = carried(journals(folder), account, kst_date(seen.status.ts)) if seen and account else None
    jump = found.jumps.get(wanted) if found else None
    if jump is None:
        raise UsageError("nothing about {symbol} is open", symbol=wanted, hint="`qb status` shows what is held")
    if not reason.strip():
        raise UsageError("--reason is missing", hint='Say how you know, as in --reason "seen in the KIS app"')
    said = Told(
        wanted, jump.day, units.whole("--qty", qty), units.whole("--cost", cost) if cost else None, reason.strip()
    )  # fmt: skip
    tell(folder, environment, said)
    typer.echo(_("the answer is kept; the next session begins with it"))
