"""Keeps what `qb init` was told: account and HTS id in qb.toml, keys in the OS keyring or in .env."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.adapters.kis.environment import EnvKind, Secret, account_problem, hts_id_problem, key_problem, kis
from qbtrade.app.addresses import KEYRING, SERVICE
from qbtrade.app.config import DOTENV, TOML, exposed_files
from qbtrade.app.files import write_whole
from qbtrade.app.keys import variable
from qbtrade.errors import FileError, UsageError

PORTAL: Final = "https://apiportal.koreainvestment.com"
SECRET_FIELDS: Final = ("app_key", "app_secret")
_PLAIN: Final = re.compile(r"[\x21-\x7e]*")
_UNQUOTED: Final = re.compile(r"['\"\\`$]")
_HEADER: Final = re.compile(r"\s*\[")


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """Who one is at KIS, in one environment."""

    app_key: Secret
    app_secret: Secret
    account: str
    hts_id: str


def check_customer(kind: EnvKind, customer: Customer) -> None:
    """Refuse placeholders and texts that are no keys. Raises: ConfigError, UsageError."""
    texts = (customer.app_key.reveal(), customer.app_secret.reveal(), customer.account, customer.hts_id)
    if any(_has_odd_letters(text) for text in texts):
        raise UsageError("a key has letters that no key has", hint="Copy it once more from the KIS portal")
    if problem := hts_id_problem(customer.hts_id):
        raise UsageError("{problem}", problem=problem)
    kis(kind, customer.app_key, customer.app_secret, customer.account, customer.hts_id)


def problem_of(field: str, text: str) -> str:
    """Why this answer cannot be kept, or ""."""
    if _has_odd_letters(text):
        return "it has letters that no key has: copy it once more from the KIS portal"
    if field == "hts_id":
        return hts_id_problem(text)
    return account_problem(text) if field == "account" else key_problem(field.replace("_", " "), text)


def _has_odd_letters(text: str) -> bool:
    return not _PLAIN.fullmatch(text) or bool(_UNQUOTED.search(text))


def has_keyring() -> bool:
    """True when the OS keeps secrets for us."""
    try:
        import keyring
        from keyring.backends.fail import Keyring
    except ImportError:
        return False
    return not isinstance(keyring.get_keyring(), Keyring)


def keep(folder: Path, kind: EnvKind, customer: Customer, *, in_keyring: bool) -> tuple[Path, ...]:
    """Write everything down; the files that were written. Raises: FileError, ConfigError, UsageError."""
    check_customer(kind, customer)
    for place in exposed_files(folder, {}):
        (folder / place).chmod(0o600)
    scope = f"kis.{kind}"
    values = {"account": customer.account, "hts_id": customer.hts_id}
    secrets = {name: getattr(customer, name).reveal() for name in SECRET_FIELDS}
    if in_keyring:
        values |= {name: f"{KEYRING}{scope}.{name}" for name in SECRET_FIELDS}
        _into_keyring({f"{scope}.{name}": text for name, text in secrets.items()})
    written = [_write_toml(folder / TOML, {"kis": {"env": str(kind)}, scope: values})]
    said = {variable(f"{scope}.{name}"): "" if in_keyring else text for name, text in secrets.items()}
    if not in_keyring or (folder / DOTENV).is_file():
        written.append(_write_dotenv(folder / DOTENV, said))
    return tuple(written)


def choose(folder: Path, kind: EnvKind) -> Path:
    """Make a kind the usual one. Raises: FileError."""
    return _write_toml(folder / TOML, {"kis": {"env": str(kind)}})


def _into_keyring(secrets: Mapping[str, str]) -> None:
    import keyring
    from keyring.errors import KeyringError

    for name, text in secrets.items():
        try:
            keyring.set_password(SERVICE, name, text)
        except KeyringError as error:
            raise FileError(
                "the keyring does not take {name}: {cause}", hint="Say --keep-in file", name=name,
                cause=type(error).__name__,
            ) from None  # fmt: skip


def _write_toml(path: Path, tables: Mapping[str, Mapping[str, str]]) -> Path:
    lines = _read(path).splitlines()
    for table, values in tables.items():
        for name, text in values.items():
            _set(lines, table, name, text)
    content = "\n".join(lines) + "\n"
    if not _says(content, tables):
        raise FileError(
            "{place} is written in a way that qb init cannot change", hint="Write [{table}] there by hand",
            place=path.name, table=list(tables)[-1],
        )  # fmt: skip
    write_whole(path, content.encode())
    return path


def _set(lines: list[str], table: str, name: str, text: str) -> None:
    """Put `name = "text"` into a table of a TOML file, and leave everything else as it stands."""
    line, head = f'{name} = "{text}"', re.compile(rf"\s*\[\s*{re.escape(table)}\s*\]\s*(#.*)?")
    start = next((at for at, found in enumerate(lines) if head.fullmatch(found)), None)
    if start is None:
        lines += [*([""] if lines and lines[-1].strip() else []), f"[{table}]", line]
        return
    end = next((at for at in range(start + 1, len(lines)) if _HEADER.match(lines[at])), len(lines))
    known = re.compile(rf"\s*{re.escape(name)}\s*=")
    at = next((at for at in range(start + 1, end) if known.match(lines[at])), None)
    if at is None:
        while not lines[end - 1].strip():
            end -= 1
        lines.insert(end, line)
    else:
        lines[at] = line


def _says(content: str, tables: Mapping[str, Mapping[str, str]]) -> bool:
    try:
        found = tomllib.loads(content)
    except tomllib.TOMLDecodeError:
        return False
    for table, values in tables.items():
        part = found
        for step in table.split("."):
            part = part.get(step, {})
        if any(part.get(name) != text for name, text in values.items()):
            return False
    return True


def _write_dotenv(path: Path, said: Mapping[str, str]) -> Path:
    """Replace these variables; one that is blank is taken out."""
    known = re.compile(rf"\s*(export\s+)?({'|'.join(map(re.escape, said))})\s*=")
    kept = [line for line in _read(path).splitlines() if not known.match(line)]
    fresh = [f"{name}='{text}'" for name, text in said.items() if text]
    write_whole(path, "".join(f"{line}\n" for line in [*kept, *fresh]).encode())
    return path


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise FileError("cannot read {path}: {cause}", path=path, cause=error) from error
