"""What is configured and where it was said.

The environment beats `.env`, that beats `qb.toml`, that beats KIS's own kis_devlp.yaml and the servers that
`qb services` runs, these the default.
"""

import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from qbtrade.app import devlp
from qbtrade.app.addresses import KEYRING, holds_password
from qbtrade.app.keys import KEYS, SECRETS, reader_of, variable
from qbtrade.app.plan import SimulationPlan
from qbtrade.errors import ConfigError, UsageError

TOML: Final = "qb.toml"
DOTENV: Final = ".env"
ENVIRONMENT: Final = "environment"
SERVICES: Final = "services"
DEFAULT: Final = "default"
PLACES: Final = (ENVIRONMENT, DOTENV, TOML, devlp.NAME, SERVICES, DEFAULT)
"""Where a value may stand; the first that says something wins."""
NOT_OURS: Final = ("QB_DEBUG", "QB_TEST_", "QB_ALLOW_REAL")
"""Beginnings of variables that are no configuration."""
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_KEY_OF: Final = {variable(key): key for key in KEYS}
_PLAN_FIELD: Final = {"bar": "interval", "commission": "commission_ppb", "tax": "tax_ppb"}
"""Names that the plan has others for."""


class Said(NamedTuple):
    """A text and where it stood. name: of the key, as it is written there."""

    text: str
    place: str
    name: str


class Settings:
    """The value of every key and where it came from."""

    def __init__(self, said: Mapping[str, Said]) -> None:
        self._said = said
        self._values = {key: _read(key, found) for key, found in said.items()}

    def value(self, key: str) -> Any:
        """What was said, as the program uses it; None when nobody said anything."""
        return self._values.get(key)

    def origin(self, key: str) -> str:
        """Where the value was said: `qb.toml`, `.env QB_LANG`, `environment QB_LANG` or `default`."""
        said = self._said.get(key)
        if said is None:
            return DEFAULT
        return said.place if said.place == TOML else f"{said.place} {said.name}"

    def rank(self, key: str) -> int:
        """Position in PLACES of where the value was said."""
        said = self._said.get(key)
        return PLACES.index(said.place if said else DEFAULT)

    def shown(self, key: str) -> str:
        """The value as one would write it, passwords masked."""
        if key not in self._values:
            return default_text(key)
        return KEYS[key].write(self._values[key]) if key in KEYS else str(self._values[key])

    def keys(self) -> tuple[str, ...]:
        """Every key there is, and the strategy's parameters that were said."""
        return (*KEYS, *(key for key in self._said if key not in KEYS))

    def plan_defaults(self) -> SimulationPlan:
        """What `qb simulate` does without flags."""
        plan = SimulationPlan()
        return replace(
            plan,
            **self._section("simulate"),
            **self._section("costs"),
            params=self._section("params"),
            limits=replace(plan.limits, **self._section("limits")),
            venue=replace(plan.venue, **self._section("venue")),
            mock=replace(plan.mock, **self._section("mock")),
        )

    def _section(self, section: str) -> dict[str, Any]:
        rows = ((key.partition("."), value) for key, value in self._values.items())
        return {_PLAN_FIELD.get(name, name): value for (head, _, name), value in rows if head == section}


def load_settings(cwd: Path, env: Mapping[str, str]) -> Settings:
    """Read and check everything that was said. Raises: ConfigError, which names the place and the key."""
    return Settings(collect(cwd, env))


def configured(key: str) -> str:
    """What this process was told for one key without a section, whatever state the others are in; "" for nothing."""
    said = collect(Path.cwd(), os.environ).get(key)
    return str(_read(key, said)) if said else ""


def collect(cwd: Path, env: Mapping[str, str]) -> dict[str, Said]:
    """What was said for each key, known or not, unread. Raises: ConfigError when a file cannot be used."""
    said = _gather(cwd, env)
    for place in _exposed(cwd, said):
        raise ConfigError("{place} holds a password and others may read it", hint="chmod 600 {place}", place=place)
    return {**_from_services(said, env), **_from_devlp(said, env), **said}


def exposed_files(cwd: Path, env: Mapping[str, str]) -> tuple[str, ...]:
    """Files of ours that hold secrets and that others may read. Raises: ConfigError when one cannot be read at all."""
    return tuple(_exposed(cwd, _gather(cwd, env)))


def _gather(cwd: Path, env: Mapping[str, str]) -> dict[str, Said]:
    return dict([*_from_toml(cwd / TOML), *_from_dotenv(cwd / DOTENV), *_from_variables(ENVIRONMENT, env)])


def _exposed(cwd: Path, said: Mapping[str, Said]) -> Iterator[str]:
    secret = {found.place for key, found in said.items() if _is_secret(key, found.text)} - {ENVIRONMENT}
    return (place for place in sorted(secret) if readable_by_others(cwd / place))


def readable_by_others(path: Path) -> bool:
    """True when somebody besides the owner may read or write the file."""
    return os.name == "posix" and path.is_file() and bool(path.stat().st_mode & OTHERS)


def _is_secret(key: str, text: str) -> bool:
    return holds_password(text) or (key in SECRETS and not text.startswith(KEYRING))


def _from_devlp(said: Mapping[str, Said], env: Mapping[str, str]) -> dict[str, Said]:
    chosen = said.get("kis.devlp")
    path = Path(chosen.text).expanduser() if chosen else devlp.usual_place(env)
    rows = devlp.read(path, must_exist=chosen is not None) if path else {}
    return {key: Said(text, devlp.NAME, name) for key, (name, text) in rows.items()}


def _from_services(said: Mapping[str, Said], env: Mapping[str, str]) -> dict[str, Said]:
    """The addresses of the servers that `qb services` runs, unless there is no telling where their home is."""
    from qbtrade.app.home import place  # which asks this module in turn
    from qbtrade.app.service_urls import NAMES, read_urls

    chosen = said.get("home")
    if chosen is None and not (env.get("HOME") or env.get("USERPROFILE")):
        return {}
    urls = read_urls(place(chosen.text if chosen else ""))
    return {key: Said(url, SERVICES, NAMES[key]) for key, url in urls.items()}


def default_text(key: str) -> str:
    """The default of a key as one would write it, or what happens by default."""
    section, _, name = key.rpartition(".")
    plan = SimulationPlan()
    return KEYS[key].unsaid or KEYS[key].write(getattr(getattr(plan, section, plan), _PLAN_FIELD.get(name, name)))


def _from_toml(path: Path) -> Iterator[tuple[str, Said]]:
    if path.is_file():
        try:
            with path.open("rb") as file:
                table = tomllib.load(file, parse_float=str)  # 0.03 stays exactly what was written
        except (OSError, ValueError) as error:
            raise ConfigError("{place}: {cause}", place=path.name, cause=error) from error
        for key, value in _leaves("", table):
            yield key, Said(_one_text(path.name, key, value), path.name, key)


def _leaves(start: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(f"{start}{name}.", value)
        else:
            yield start + name, value


def _one_text(place: str, key: str, value: object) -> str:
    if not isinstance(value, list):
        return str(value)
    if key != "simulate.symbols":
        raise ConfigError("{place}: {key} takes one value", hint="Leave out the brackets", place=place, key=key)
    return ",".join(map(str, value))


def _from_dotenv(path: Path) -> Iterator[tuple[str, Said]]:
    if path.is_file():
        from dotenv import dotenv_values

        try:
            values = dotenv_values(path, interpolate=False)
        except (OSError, ValueError) as error:
            raise ConfigError("{place}: {cause}", place=path.name, cause=error) from error
        yield from _from_variables(path.name, {name: text for name, text in values.items() if text})


def _from_variables(place: str, variables: Mapping[str, str]) -> Iterator[tuple[str, Said]]:
    for name, text in variables.items():
        if name.startswith("QB_") and not name.startswith(NOT_OURS) and text:
            parameter = name.removeprefix("QB_PARAMS_")
            key = f"params.{parameter.lower()}" if parameter != name else _KEY_OF.get(name, name)
            yield key, Said(text, place, name)


def _read(key: str, said: Said) -> Any:
    read = reader_of(key)
    if read is None:
        raise _unknown(said)
    try:
        return read(f"{said.place}: {said.name}", said.text)
    except UsageError as error:
        message, hint = error.templates
        raise ConfigError(message, hint=hint, **error.values) from error


def _unknown(said: Said) -> ConfigError:
    near = get_close_matches(said.name, KEYS if said.place == TOML else _KEY_OF, n=1, cutoff=0.5)
    hint = "Did you mean {near!r}?" if near else "docs/configuration.md lists all keys"
    return ConfigError("{place}: unknown key {name!r}", hint=hint, place=said.place, name=said.name, near="".join(near))
