"""Help pages in plain text: the user's language, options grouped by duty. Rich's own would triple the start-up time."""

from collections.abc import Iterable, Iterator
from typing import Any
from unicodedata import east_asian_width

import typer
from typer.core import TyperCommand, TyperGroup

from qbtrade.cli.text import N_, _

WIDEST_NAME = 24
"""Cells that names and flags may take before their text moves to the next line."""
BORROWED = (N_("[OPTIONS]"), N_("COMMAND [ARGS]..."), N_("Show this message and exit."))
"""Sentences that typer writes on our pages."""


def option(*flags: str, text: str, default: str = "", section: str = "", metavar: str | None = None) -> Any:
    """Declare an option that is None unless given. default: what None means, in words. section: its heading."""
    said = f"{text} [{default}]" if default else text
    return typer.Option(*flags, help=said, show_default=False, rich_help_panel=section or None, metavar=metavar)


def cells(text: str) -> int:
    """How many columns of a terminal the text takes; Hangul takes two each."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def wrap(text: str, width: int) -> list[str]:
    """Break between words so that no line takes more than `width` cells."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if cells(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines if lines[0] else lines[1:]


def _rows(records: Iterable[tuple[str, str]], first: int, width: int) -> Iterator[str]:
    for name, text in records:
        head, *rest = wrap(text, width - first) or [""]
        if cells(name) + 4 <= first:
            yield f"  {name}{' ' * (first - 2 - cells(name))}{head}".rstrip()
        else:
            yield f"  {name}"
            yield f"{' ' * first}{head}"
        yield from (f"{' ' * first}{line}" for line in rest)


def _told(record: str, text: str) -> str:
    """What typer writes behind a flag, in the user's language. text: the part of it that is ours."""
    return record.replace(text, _(text), 1).replace("[default: ", "[") if text else _(record)


class _Page:
    """What commands and groups write for --help."""

    def sections(self: Any, ctx: Any) -> dict[str, list[tuple[str, str]]]:
        """Headings and their (name, text) records, in order of declaration."""
        found: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                kind = _("Arguments") if param.param_type_name == "argument" else _("Options")
                heading = getattr(param, "rich_help_panel", None) or kind
                found.setdefault(heading, []).append((record[0], _told(record[1], getattr(param, "help", None) or "")))
        return found

    def format_help(self: Any, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        width = formatter.width
        pieces = " ".join(map(_, self.collect_usage_pieces(ctx)))
        lines = [f"{_('Usage')}: {ctx.command_path} {pieces}"]
        for paragraph in _(self.help or "").split("\n\n"):
            lines += ["", *(f"  {line}" for line in wrap(paragraph, width - 2))]
        sections = self.sections(ctx)
        first = 4 + min(WIDEST_NAME, max(cells(name) for records in sections.values() for name, _text in records))
        for heading, records in sections.items():
            lines += ["", f"{heading}:", *_rows(records, first, width)]
        formatter.write("\n".join(lines) + "\n")


class Command(_Page, TyperCommand):
    """One command."""


class Group(_Page, TyperGroup):
    """A command with commands below it."""

    def summaries(self) -> dict[str, str]:
        """Name and one line of every command below, in order."""
        return {
            name: _(command.help or "").partition("\n")[0]
            for name, command in self.commands.items()
            if not command.hidden
        }

    def sections(self, ctx: Any) -> dict[str, list[tuple[str, str]]]:
        """Options, then the commands below."""
        return {_("Commands"): list(self.summaries().items()), **super().sections(ctx)}


def dress(app: typer.Typer) -> typer.Typer:
    """Give every command of a typer app our help pages."""
    app.rich_markup_mode = None
    app.info.cls = Group
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            dress(group.typer_instance)
    return app
