"""`qb init`: asks for keys and account, checks them, and keeps them where only their owner can read them."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from qbtrade.adapters.kis.environment import EnvKind, Secret
from qbtrade.app.config import DEFAULT, Settings, load_settings
from qbtrade.app.credentials import PORTAL, SECRET_FIELDS, Customer, choose, has_keyring, keep, problem_of
from qbtrade.app.kis_account import customer_of, kind_of, parse_kind
from qbtrade.cli.pages import option
from qbtrade.cli.text import N_, _
from qbtrade.cli.words import said as in_words
from qbtrade.errors import FileError, UnknownNameError, UsageError

KEYRING: Final = "keyring"
FILE: Final = "file"
STDIN: Final = "-"
_LARGEST: Final = 10_000
FIELDS: Final = {
    "app_key": N_("App key"),
    "app_secret": N_("App secret"),
    "account": N_("Account, as in 12345678-01"),
    "hts_id": N_("HTS id"),
}

Environment = Annotated[
    str, option("--env", metavar="NAME", default=_("asks, else paper"), text=_("paper, real or emulator"))
]
Account = Annotated[str, option("--account", metavar="NUMBER", text=_("Account, as in 12345678-01"))]
HtsId = Annotated[str, option("--hts-id", metavar="NAME", text=_("HTS id, for notices of orders and fills"))]
Secrets = Annotated[
    str,
    option(
        "--secrets", metavar="FILE",
        text=_("File with the app key and the app secret on two lines; - for standard input"),
    ),
]  # fmt: skip
KeepIn = Annotated[
    str, option("--keep-in", metavar="PLACE", default=_("keyring, else file"), text=_("keyring or file (.env)"))
]


def init(
    *, env: Environment = "", account: Account = "", hts_id: HtsId = "", secrets: Secrets = "", keep_in: KeepIn = ""
) -> None:
    """Ask for keys and account, and keep them safe.

    Asks on a terminal for whatever no option says. Keys are never options: every user of a machine can read those.
    """
    settings = load_settings(Path.cwd(), os.environ)
    asks = sys.stdin.isatty() and secrets != STDIN
    kind = _kind(settings, env, asks=asks)
    if kind is EnvKind.EMULATOR:
        path = choose(Path.cwd(), kind)
        typer.echo(_("The emulator needs no keys. Written: {path}").format(path=path))
        return
    _explain(kind)
    _show(settings, kind, _("Known so far:"))
    in_keyring = _place(keep_in)
    customer = _customer(settings, kind, _from_file(secrets), {"account": account, "hts_id": hts_id}, asks=asks)
    written = keep(Path.cwd(), kind, customer, in_keyring=in_keyring)
    names = ", ".join(str(path) for path in written)
    typer.echo("")
    typer.echo(_("Written: {path}").format(path=names))
    if in_keyring:
        typer.echo(_("The keys are in the keyring of the system."))
    _show(load_settings(Path.cwd(), os.environ), kind, _("From now on:"))
    typer.echo("")
    typer.echo(_("Next: {command}").format(command=f"qb preflight --env {kind}"))


def _kind(settings: Settings, env: str, *, asks: bool) -> EnvKind:
    if not env and asks:
        return _asked_kind(settings)
    return parse_kind(env) if env else kind_of(settings)


def _asked_kind(settings: Settings) -> EnvKind:
    while True:
        env = typer.prompt(_("Environment: paper, real or emulator"), default=str(kind_of(settings)))
        try:
            return parse_kind(env)
        except UsageError as error:
            typer.echo(f"  {in_words(error.message)}. {in_words(error.hint)}")


def _explain(kind: EnvKind) -> None:
    typer.echo(_("Keys come from {portal}: log in, open the Open API service, apply for it.").format(portal=PORTAL))
    if kind is EnvKind.PAPER:
        typer.echo(_("Paper trading has an account and keys of its own: apply for it there first."))
    else:
        typer.echo(_("These are keys to real money: keep them for yourself, and try paper first."))
    typer.echo("")


def _show(settings: Settings, kind: EnvKind, title: str) -> None:
    rows = list(_known(settings, kind))
    if rows:
        typer.echo(title)
        for key, value, origin in rows:
            typer.echo(f"  {key:<22}{value:<14}{origin}")


def _known(settings: Settings, kind: EnvKind) -> Iterator[tuple[str, str, str]]:
    for scope in (f"kis.{kind}", "kis"):
        for field in FIELDS:
            key = f"{scope}.{field}"
            if settings.origin(key) != DEFAULT:
                yield key, settings.shown(key), settings.origin(key)


def _place(keep_in: str) -> bool:
    """True for the keyring."""
    if keep_in not in {"", KEYRING, FILE}:
        raise UnknownNameError("place", keep_in, (KEYRING, FILE))
    if keep_in == KEYRING and not has_keyring():
        raise UsageError("there is no keyring on this machine", hint="Say --keep-in file")
    return keep_in != FILE and has_keyring()


def _from_file(secrets: str) -> dict[str, str]:
    if not secrets:
        return {}
    try:
        text = sys.stdin.read(_LARGEST) if secrets == STDIN else Path(secrets).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or type(error).__name__
        raise FileError("cannot read {path}: {cause}", path=secrets, cause=cause) from None
    lines = text.split()
    if len(lines) != len(SECRET_FIELDS):
        raise UsageError("--secrets: two lines are wanted", hint="The app key on the first, the secret on the second")
    return dict(zip(SECRET_FIELDS, lines, strict=True))


def _customer(
    settings: Settings, kind: EnvKind, secrets: dict[str, str], said: dict[str, str], *, asks: bool
) -> Customer:
    """What options, answers and earlier configuration say, in this order."""
    before = customer_of(settings, kind)
    found = {name: text for name, text in {**secrets, **said}.items() if text}
    for field, title in FIELDS.items():
        known = before[field].reveal() if field in SECRET_FIELDS else before[field]
        if field not in found and asks:
            found[field] = _answer(field, _(title), known)
        found.setdefault(field, known)
        if not found[field] and not asks and field != "hts_id":
            raise UsageError(
                "{what} is missing, and nobody can be asked", hint="Start qb init on a terminal, or see qb init --help",
                what=field.replace("_", " "),
            )  # fmt: skip
    return Customer(
        app_key=Secret(found["app_key"]), app_secret=Secret(found["app_secret"]), account=found["account"],
        hts_id=found["hts_id"],
    )  # fmt: skip


def _answer(field: str, title: str, known: str) -> str:
    """Ask until the answer can be kept; an empty one keeps what is known, unless that cannot be kept itself."""
    known = "" if problem_of(field, known) else known
    label = f"{title} [{_('Enter keeps it')}]" if known else title
    while True:
        typed: str = typer.prompt(label, default="", show_default=False, hide_input=field in SECRET_FIELDS)
        answer = typed.strip() or known
        problem = problem_of(field, answer)
        if not problem:
            return answer
        typer.echo(f"  {in_words(problem)}")
