"""What docs/reports.md shows: every key of the report with its unit and meaning, from the schema. Called by cog."""

from typing import Any, Final

from qbtrade.app.export import schema

_KINDS: Final = {"string": "text", "object": "by name"}


def key_tables() -> str:
    """The top level, then one table per object of the report, in the order of the file."""
    published = schema()
    parts = ["### Top level", "", *_table(published)]
    for name in _objects(published):
        part = published["$defs"][name]
        parts += [f"### {name.replace('_', ' ').capitalize()}", "", part["description"], "", *_table(part)]
    return "\n".join(parts)


def _objects(published: dict[str, Any]) -> list[str]:
    """Objects in the order in which they are first referred to, each before those inside it."""
    found: list[str] = []
    waiting = [published]
    while waiting:
        part = waiting.pop(0)
        for prop in part["properties"].values():
            name = _reference(prop)
            if name in published["$defs"] and "properties" in published["$defs"][name] and name not in found:
                found.append(name)
                waiting.append(published["$defs"][name])
    return found


def _reference(prop: dict[str, Any]) -> str:
    return str(prop.get("$ref", prop.get("items", {}).get("$ref", ""))).rpartition("/")[2]


def _table(part: dict[str, Any]) -> list[str]:
    rows = [f"| `{name}` | {_unit(prop)} | {_meaning(prop)} |" for name, prop in part["properties"].items()]
    return ["| key | holds | meaning |", "| --- | --- | --- |", *rows, ""]


def _unit(prop: dict[str, Any]) -> str:
    """What the value is, in one or two words."""
    target = schema()["$defs"].get(_reference(prop), {})
    kind = prop.get("type")
    if "items" in prop:
        return f"list of {_reference(prop).replace('_', ' ') or 'text'}"
    if "$ref" in prop:
        return "object" if "properties" in target else str(target.get("title", "text"))
    if isinstance(kind, list):
        return " or ".join(str(_KINDS.get(each, each)) for each in kind)
    if "anyOf" in prop:
        return "time or null"
    return str(_KINDS.get(kind, kind)) if kind else str(prop.get("const", "text"))


def _meaning(prop: dict[str, Any]) -> str:
    target = schema()["$defs"].get(_reference(prop), {})
    words = prop.get("description") or target["description"]
    values = prop.get("enum") or ("$ref" in prop and target.get("enum")) or ()
    return " ".join([words, *(f"`{value}`" for value in values)])
