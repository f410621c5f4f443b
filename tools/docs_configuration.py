"""What docs/configuration.md shows: every key with its variable, default and meaning. Called by cog."""

from itertools import groupby

from qbtrade.app.config import default_text
from qbtrade.app.keys import KEYS, variable


def key_tables() -> str:
    """One table per section of qb.toml."""
    parts: list[str] = []
    for section, keys in groupby(KEYS, key=lambda key: key.rpartition(".")[0]):
        rows = [
            f"| `{key.rpartition('.')[2]}` | `{variable(key)}` | {default_text(key)} | {KEYS[key].text} |"
            for key in keys
        ]
        heading = f"### [{section}]" if section else "### Without a section"
        parts += [heading, "", "| key | variable | default | meaning |", "| --- | --- | --- | --- |", *rows, ""]
    return "\n".join(parts)


def example() -> str:
    """A qb.toml that says all defaults, commented out."""
    lines = ["```toml"]
    for section, keys in groupby(KEYS, key=lambda key: key.rpartition(".")[0]):
        lines += [f"[{section}]"] if section else []
        lines += [f'# {key.rpartition(".")[2]} = "{default_text(key)}"' for key in keys if not KEYS[key].unsaid]
    return "\n".join([*lines, "```", ""])
