import sys
from collections.abc import Iterator
from typing import ClassVar

import keyring
import pytest
from keyring.backend import KeyringBackend

from qbtrade.app.addresses import address, holds_password, masked
from qbtrade.errors import ConfigError, UsageError


class DictKeyring(KeyringBackend):
    """A keyring in memory."""

    priority = 1
    secrets: ClassVar[dict[tuple[str, str], str]] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.secrets.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.secrets[service, username] = password


@pytest.fixture
def ring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(DictKeyring())  # type: ignore[no-untyped-call]  # keyring leaves its __init__ untyped
    keyring.set_password("qbtrade", "database", "postgresql://me:hidden@db/long")
    yield
    keyring.set_keyring(before)


def read(text: str) -> str:
    return address("env: URL", text, schemes=("postgresql", "postgres"))


@pytest.mark.usefixtures("ring")
@pytest.mark.parametrize("place", ["a:5432,b:5433", "me:p%2Fw@[::1]:1", "", "db:", "me@", "me:p:w@db:65535"])
def test_several_hosts_with_ports_or_none_are_an_address(place: str) -> None:
    assert read(f"postgresql://{place}/long?connect_timeout=3") == f"postgresql://{place}/long?connect_timeout=3"


def test_an_address_may_live_in_the_keyring() -> None:
    assert read("keyring:database") == "postgresql://me:hidden@db/long"
    with pytest.raises(ConfigError, match=r"the keyring holds nothing under 'other'\. keyring set qbtrade other"):
        read("keyring:other")


def test_a_keyring_that_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError, match=r"not installed. pip install 'qbtrade\[keyring\]'"):
        read("keyring:database")


NO_PORT = ("postgresql://me:pw@db:54x2/long", "postgresql://db:65536", "postgresql://[::1/db", "postgresql://a,b:c/db")


@pytest.mark.parametrize("text", ["postgresql", "localhost/db", "mysql://x/y", "", "://x", *NO_PORT])
def test_what_is_no_address_of_that_kind_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^env: URL is not an address. Write postgresql://user@host/name$"):
        read(text)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://host:5432/db", "postgresql://host:5432/db"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("postgresql://me:p/w@d#?@host:1/db", "postgresql://me:***@host:1/db"),
        ("redis://:pw@[::1]:6379/0", "redis://:***@[::1]:6379/0"),
        ("unix:///tmp/redis.sock?password=pw&db=1", "unix:///tmp/redis.sock?password=***&db=1"),
    ],
)
def test_only_the_password_is_masked(url: str, expected: str) -> None:
    assert masked(url) == expected
    assert holds_password(url) == (url != expected)
