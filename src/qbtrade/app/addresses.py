"""Addresses of servers, whose passwords are never shown and may live in the OS keyring."""

import re
from collections.abc import Sequence
from typing import Final

from qbtrade.errors import ConfigError, UsageError

KEYRING: Final = "keyring:"
"""`keyring:NAME` stands for the secret that the OS keyring holds for qbtrade under NAME."""
SERVICE: Final = "qbtrade"
"""The name under which the keyring keeps everything of ours."""
LAST_PORT: Final = 65_535
_PLACE = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:(?P<port>[0-9]{0,5}))?")
_IN_USER = re.compile(r"(?<=://)([^/?#@:]*):.*@")
_IN_QUERY = re.compile(r"(?i)([?&][^=&]*pass[^=&]*=)[^&#]*")


def address(what: str, text: str, *, schemes: Sequence[str]) -> str:
    """Read `scheme://...`, or fetch it from the keyring; no error repeats it. Raises: UsageError, ConfigError."""
    url = secret(what, text)
    scheme, separator, rest = url.partition("://")
    if scheme not in schemes or not separator or not _has_places(rest):
        raise UsageError(
            "{what} is not an address", hint="Write {scheme}://user@host/name", what=what, scheme=schemes[0]
        )
    return url


def _has_places(rest: str) -> bool:
    """Whether each host stands there with a port or none; PostgreSQL takes several, and a socket has none."""
    netloc = re.split(r"[/?#]", rest, maxsplit=1)[0]
    found = [_PLACE.fullmatch(place) for place in netloc.rpartition("@")[2].split(",")]
    return all(place and int(place["port"] or 0) <= LAST_PORT for place in found)


def secret(what: str, text: str) -> str:
    """The text itself, or what the keyring holds where it says `keyring:NAME`. Raises: ConfigError."""
    return from_keyring(what, text.removeprefix(KEYRING)) if text.startswith(KEYRING) else text


def from_keyring(what: str, name: str) -> str:
    """The secret kept under `name`. Raises: ConfigError."""
    try:
        import keyring
    except ImportError:
        raise ConfigError(
            "{what} is kept in the keyring, which is not installed", hint="pip install 'qbtrade[keyring]'", what=what
        ) from None
    held = keyring.get_password(SERVICE, name)
    if not held:
        raise ConfigError(
            "{what}: the keyring holds nothing under {name!r}", hint="keyring set qbtrade {name}", what=what, name=name
        )
    return held


def masked(url: str) -> str:
    """The address with *** for its password."""
    return _IN_QUERY.sub(r"\1***", _IN_USER.sub(r"\1:***@", url))


def holds_password(url: str) -> bool:
    """True when showing the address would tell a password."""
    return masked(url) != url
