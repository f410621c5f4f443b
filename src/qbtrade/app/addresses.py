"""Addresses of servers, whose passwords are never shown and may live in the OS keyring."""

import re
from collections.abc import Sequence
from typing import Final

from qbtrade.errors import ConfigError, UsageError

KEYRING: Final = "keyring:"
"""`keyring:NAME` stands for the secret that the OS keyring holds for qbtrade under NAME."""
SERVICE: Final = "qbtrade"
"""The name under which the keyring keeps everything of ours."""
_IN_USER = re.compile(r"(?<=://)([^/?#@:]*):.*@")
_IN_QUERY = re.compile(r"(?i)([?&][^=&]*pass[^=&]*=)[^&#]*")


def address(what: str, text: str, *, schemes: Sequence[str]) -> str:
    """Read `scheme://...`, or fetch it from the keyring; no error repeats it. Raises: UsageError, ConfigError."""
    url = secret(what, text)
    if url.partition("://")[0] not in schemes or "://" not in url:
        raise UsageError(
            "{what} is not an address", hint="Write {scheme}://user@host/name", what=what, scheme=schemes[0]
        )
    return url


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
