"""What was typed after `qb simulate`, read into a plan."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from qbtrade.app.config import Settings
from qbtrade.app.plan import SimulationPlan
from qbtrade.cli import options
from qbtrade.errors import UsageError

MOCK: Final = "mock"


def plan_of(typed: Mapping[str, Any], settings: Settings) -> SimulationPlan:
    """The plan that was asked for; what was not typed stays as configured. Raises: UsageError that names the flag."""
    base = settings.plan_defaults()
    given = {name: value for name, value in typed.items() if value not in (None, False, [])}
    files = _files(given)
    _refuse(given, options.MADE if files else options.RECORDED, made=bool(files))
    values = {option.field: _read(option, given[option.name]) for option in options.ALL if option.name in given}
    values["source"] = files
    values["params"] = {**base.params, **_params(values.get("params", ()))}
    if not files and settings.value("venue.reject_rate") is None:
        values.setdefault("venue.reject_rate", options.REJECT_RATE)
    plan = _replaced(base, values)
    if plan.start and plan.end and plan.start >= plan.end:
        raise UsageError("--from is not before --to", hint="Give an earlier --from or a later --to")
    return replace(plan, skip_bad_rows="skip_bad_rows" in given or base.skip_bad_rows)


def _read(option: options.Option, typed: Any) -> Any:
    if not option.several:
        return option.read(option.flag, typed)
    values = [option.read(option.flag, text) for text in typed]
    flat = [part for value in values for part in (value if isinstance(value, tuple) else (value,))]
    return tuple(dict.fromkeys(flat))


def _replaced(base: SimulationPlan, values: Mapping[str, Any]) -> SimulationPlan:
    """Put `limits.max_budget` and the like where they belong."""
    own = {field: value for field, value in values.items() if "." not in field}
    for part in ("limits", "venue", "mock"):
        below = {
            field.removeprefix(f"{part}."): value for field, value in values.items() if field.startswith(f"{part}.")
        }
        own[part] = replace(getattr(base, part), **below)
    return replace(base, **own)


def _files(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Files to replay; none for the made market."""
    files = (*given.get("source", ()), *given.get("files", ()))
    if files and "source" not in given:
        raise UsageError("{name!r} stands alone", hint="Put --source before files of market data", name=files[0])
    if MOCK not in files:
        return tuple(dict.fromkeys(files))
    if len(files) > 1:
        raise UsageError("--source: mock and files do not go together", hint="Give either mock or files")
    return ()


def _params(texts: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for (name, equals, _value), text in zip(pairs, texts, strict=True):
        if not (name.strip() and equals):
            raise UsageError("--param: {text!r} is not NAME=VALUE", hint="Write --param fast=5", text=text)
    return {name.strip(): value.strip() for name, _equals, value in pairs}


def _refuse(given: Mapping[str, Any], names: Iterable[options.Option], *, made: bool) -> None:
    """Say so when an option could have no effect. made: these options shape the made market."""
    message = "{flag} shapes the made market" if made else "{flag} belongs to a recorded market"
    hint = "Leave it out, or leave out the files" if made else "Name its files with --source"
    for option in names:
        if option.name in given:
            raise UsageError(message, hint=hint, flag=option.flag)
