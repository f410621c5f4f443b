"""`qb report`: reads sessions from their journals, lists, shows, explains and exports them."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from qbtrade.adapters.store.sqlite import read_events
from qbtrade.app import report as reports
from qbtrade.app import sessions
from qbtrade.app.home import home, reports_dir
from qbtrade.app.units import whole
from qbtrade.cli import history
from qbtrade.cli.options import RECORDED
from qbtrade.cli.pages import option
from qbtrade.cli.screen import print_page
from qbtrade.cli.text import N_, _
from qbtrade.domain.calendar import iso_kst
from qbtrade.domain.instrument import parse_symbol
from qbtrade.domain.message import Event, EventType
from qbtrade.errors import UsageError

app = typer.Typer(add_completion=False, help=N_("Read what sessions did, and why, from their journals."))
LISTED: Final = 20

Id = Annotated[str, typer.Argument(metavar="ID", help=N_("The beginning of a run's or a session's id, or latest"))]
Json = Annotated[bool, typer.Option("--json", help=N_("One JSON document on stdout"))]
Types = Annotated[str, option("--events", metavar="TYPE,...", text=N_("Show journal rows of these types instead"))]
Symbol = Annotated[str, option("--symbol", metavar="SYMBOL", text=N_("Only what concerns this symbol"))]
From = Annotated[str, option("--from", metavar="TIME", text=N_("Leave out what is before; KST"))]
To = Annotated[str, option("--to", metavar="TIME", text=N_("Leave out what is after; a date alone is included"))]
InSession = Annotated[str, option("--session", metavar="ID", text=N_("In this session, not in the latest one"))]
Last = Annotated[str, option("--last", metavar="N", default=f"{LISTED}", text=N_("How many sessions to list"))]

Since = Annotated[str, option("--since", metavar="DAY", text=N_("Figures over all sessions from this day on; KST"))]
Until = Annotated[str, option("--until", metavar="DAY", text=N_("To this day, which is included"))]
By = Annotated[str, option("--by", metavar=history.GROUPS, default="month", text=N_("What a row stands for"))]
Env = Annotated[
    str,
    option(
        "--env", metavar=history.KINDS, text=N_("Which sessions; without, the kind that matters most of those there")
    ),
]
Journals = Annotated[bool, typer.Option("--journals", help=N_("Read the journals, also where a database is at hand"))]


@app.callback(invoke_without_command=True)
def report(
    ctx: typer.Context,
    *,
    types: Types = "",
    symbol: Symbol = "",
    from_: From = "",
    to: To = "",
    session: InSession = "",
    last: Last = "",
    since: Since = "",
    until: Until = "",
    by: By = "",
    env: Env = "",
    journals: Journals = False,
    json: Json = False,
) -> None:
    """List the sessions, newest first; with --since, sum them up."""
    given = _given({"--symbol": symbol, "--from": from_, "--to": to, "--session": session})
    narrowed = _given({"--until": until, "--by": by, "--env": env, "--journals": journals})
    command = ctx.invoked_subcommand
    if command and (types or given or json or since or narrowed):
        raise UsageError(
            "options of {command} stand behind it",
            hint="Write qb report {command} and then the options",
            command=command,
        )
    if command:
        return
    if since and (types or given or last):
        flag = given[0] if given else "--events" if types else "--last"
        raise UsageError("{flag} does not go with --since", flag=flag)
    if since:
        history.show(since, until, by, env, journals=journals, json=json)
    elif narrowed:
        raise UsageError("{flag} narrows --since", hint="Name the first day with --since", flag=narrowed[0])
    elif types:
        events(types, symbol, from_, to, session, json=json)
    elif given:
        raise UsageError("{flag} narrows --events", hint="Name the types of events with --events", flag=given[0])
    else:
        _list(whole("--last", last, least=1) if last else LISTED, json=json)


def _given(options: Mapping[str, object]) -> list[str]:
    return [name for name, value in options.items() if value]


def _list(last: int, *, json: bool) -> None:
    from qbtrade.cli.render_report import session_list

    found, hidden = sessions.sessions(home(), last)
    if json:
        _document({"sessions": [_glance(session) for session in found], "earlier": hidden})
    elif found:
        print_page(session_list(found, hidden), sys.stdout)
    else:
        typer.echo(_("No session yet. Start one with qb simulate"))


def _glance(session: sessions.Session) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(session)
    times = {name: iso_kst(row[name]) if row[name] else None for name in ("start", "end")}
    return {**row, **times}


@app.command(help=N_("Show one session in full."))
def show(name: Id = sessions.LATEST, *, json: Json = False) -> None:
    """Show one session in full, built from its journal."""
    from qbtrade.cli.render_report import page

    found = sessions.load(sessions.find(home(), name))
    if json:
        sys.stdout.write(reports.encode(found).decode())
    else:
        print_page(page(found), sys.stdout)


@app.command("parity", help=N_("Explain each difference between a live session and the replay of its recorded day."))
def compare(name: Id = sessions.LATEST, *, json: Json = False) -> None:
    """Explain each difference between a live session and the replay of its recorded day."""
    from qbtrade.cli import parity

    parity.show(name, json=json)


@app.command(help=N_("Show the rows of a journal, all or some of them."))
def events(
    types: Annotated[
        str, typer.Argument(metavar="TYPE,...", help=N_("Types of events, as in ORDER_FILLED,SIGNAL"))
    ] = "",
    symbol: Symbol = "",
    from_: From = "",
    to: To = "",
    session: InSession = "",
    *,
    json: Json = False,
) -> None:
    """Show the rows of a journal, all or some of them."""
    wanted = {EventType.parse(name) for name in types.split(",")} if types else None
    bounds = {option.flag: option for option in RECORDED}
    start = bounds["--from"].read("--from", from_) if from_ else None
    end = bounds["--to"].read("--to", to) if to else None
    journal = sessions.find(home(), session or sessions.LATEST)
    rows = read_events(journal, wanted, parse_symbol(symbol) if symbol else None, start, end)
    if json:
        _stream(journal.stem, rows)
    else:
        from qbtrade.cli.render_story import event_line

        for event in rows:
            sys.stdout.write(event_line(event) + "\n")


def _stream(run_id: str, rows: Iterable[Event]) -> None:
    """One document, written row by row: a long journal need not fit into memory."""
    encode = msgspec.json.Encoder().encode
    sys.stdout.write(f'{{"run_id": "{run_id}", "events": [')
    for number, event in enumerate(rows):
        sys.stdout.write((",\n" if number else "\n") + encode(event).decode())
    sys.stdout.write("\n]}\n")


@app.command(help=N_("Tell the whole story of one order: signal, checks with their numbers, sends, fills, costs."))
def why(
    order_id: Annotated[str, typer.Argument(metavar="ORDER_ID", help=N_("As in the report, say Q000001"))],
    session: InSession = "",
    *,
    json: Json = False,
) -> None:
    """Tell the whole story of one order; without --session in the latest run that knows it."""
    from qbtrade.app.story import story
    from qbtrade.cli.render_story import story as page

    journal = sessions.find(home(), session) if session else sessions.newest_with(home(), order_id)
    told = story(journal, order_id)
    if json:
        _document(told)
    else:
        print_page(page(told), sys.stdout)


@app.command(help=N_("Write the tables of a session as CSV, or its report as JSON."))
def export(
    name: Id = sessions.LATEST,
    csv: Annotated[str, option("--csv", metavar="DIR|FILE", text=N_("A folder for all tables, or say fills.csv"))] = "",
    json: Annotated[str, option("--json", metavar="FILE", text=N_("The report as one JSON file; - for stdout"))] = "",
) -> None:
    """Write the tables of a session as CSV, or its report as JSON."""
    from qbtrade.app.export import export_csv

    if not csv and not json:
        raise UsageError("nothing to export", hint="Say --csv DIR, --csv fills.csv or --json FILE")
    found = sessions.load(sessions.find(home(), name))
    written = export_csv(found, Path(csv)) if csv else ()
    if json == "-":
        sys.stdout.write(reports.encode(found).decode())
    elif json:
        reports.write(found, Path(json))
        written = (*written, Path(json))
    for path in written:
        typer.echo(str(path), err=json == "-")


@app.command(help=N_("Build a session's report again from its journal, into the folder of reports."))
def rebuild(name: Id = sessions.LATEST, *, json: Json = False) -> None:
    """Build a session's report again from its journal, into the folder of reports."""
    journal = sessions.find(home(), name)
    path = reports_dir(home()) / f"{journal.stem}.json"
    content = reports.encode(sessions.load(journal))
    same = path.read_bytes() == content if path.is_file() else None
    if not same:
        reports.write_whole(path, content)
    if json:
        _document({"run_id": journal.stem, "path": str(path), "identical": same})
    else:
        verdict = {True: _("identical"), False: _("replaced, it was different"), None: _("written")}[same]
        typer.echo(f"{path}: {verdict}")


@app.command(help=N_("Look whether a journal is what its session wrote; the first bad row is named, exit code 3."))
def verify(name: Id = sessions.LATEST, *, json: Json = False) -> None:
    """Look at every row of a journal, and at what its report knows of it."""
    journal = sessions.file_of(home(), name)
    found = sessions.verified(journal, reports_dir(home()) / f"{journal.stem}.json")
    if json:
        _document({"run_id": journal.stem, **msgspec.to_builtins(found)})
        return
    chain = _("chained, the last one {hash}") if found.is_chained else _("not chained: an older qb wrote them")
    parts = [_("{count} rows").format(count=f"{found.rows:,}") + ", " + chain.format(hash=found.last_hash)]
    if found.is_folded:
        parts.append(_("the tables follow from them"))
    if found.rescued:
        parts.append(_("{count} rows in the emergency file").format(count=f"{found.rescued:,}"))
    if not found.is_ended:
        parts.append(_("its session wrote no end"))
    typer.echo(_("{run} is sound: {what}").format(run=journal.stem, what="; ".join(parts)))


def _document(content: Any) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(content)).decode() + "\n")
