"""What docs/preflight.md shows: every check with what it asks, by section. Called by cog."""

from qbtrade.app.preflight.run import SECTIONS, SHORT, SYMBOL_SECTIONS
from qbtrade.cli.render_preflight import NAMES, TITLES


def checks() -> str:
    """One table per section."""
    parts: list[str] = []
    for section, title in TITLES.items():
        found = {**SECTIONS[section], **SYMBOL_SECTIONS.get(section, {})}
        if found:
            rows = [f"| {NAMES[name]} | `{name}` | {(check.__doc__ or '').strip()} |" for name, check in found.items()]
            parts += [f"### {title}", "", "| row | in JSON | holds when |", "| --- | --- | --- |", *rows, ""]
    return "\n".join(parts)


def short() -> str:
    """The checks that a session repeats."""
    return ", ".join(name for name in NAMES.values() if name in {NAMES[check] for check in SHORT}) + ".\n"
