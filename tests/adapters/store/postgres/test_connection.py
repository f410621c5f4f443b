"""What is said when PostgreSQL cannot be used: one line, which never holds the password."""

import re
from collections.abc import Callable

import psycopg
import pytest

from qbtrade.adapters.services.postgres import PostgresService
from qbtrade.adapters.store.postgres.connection import connected, round_trip
from qbtrade.errors import ConfigError, DatabaseError, QbError
from tests.servers import HOST, PASSWORD, free_port, postgres_service


def password_of(url: str) -> str:
    found = re.search(r":([^:@/]+)@", url)
    assert found
    return found[1]


def test_a_row_goes_there_and_back(database: str) -> None:
    assert 0 < round_trip(database) < 240


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda url: url.replace(password_of(url), PASSWORD), "does not let 'qb' in with that password"),
        (lambda url: url.replace(f":{password_of(url)}", ""), "does not let 'qb' in with that password"),
        (lambda url: url.replace("//qb:", "//who:"), "does not let 'who' in with that password"),
        (lambda url: url + "x", r"has no database 'test_\d+x'"),
        (lambda url: re.sub(r":\d+/", f":{free_port()}/", url), "does not answer"),
        (lambda _url: f"postgresql://qb:{PASSWORD}@[half/0", "is not an address that PostgreSQL understands"),
        (lambda _url: f"postgresql://qb:{PASSWORD}@{HOST}:port/qb", "does not answer"),
        (lambda url: url + "?nonsense=1", "is not an address that PostgreSQL understands"),
    ],
    ids=["password", "no-password", "user", "database", "port", "half", "port-word", "option"],
)
def test_what_keeps_a_connection_from_coming_about_is_named(
    spoil: Callable[[str], str], said: str, database: str
) -> None:
    with pytest.raises(ConfigError, match=said) as error, connected(spoil(database)):
        pass
    assert_one_line(str(error.value), password_of(database))


def test_a_user_who_may_not_connect_is_told_so(database: str) -> None:
    name = database.rpartition("/")[2]
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
        owner.execute(f"CREATE ROLE locked_out LOGIN PASSWORD '{PASSWORD}'")
    url = database.replace(f"qb:{password_of(database)}", f"locked_out:{PASSWORD}")
    with pytest.raises(ConfigError, match="'locked_out' may not connect to database") as error, connected(url):
        pass
    assert_one_line(str(error.value), PASSWORD)


def lose(service: PostgresService) -> None:
    """Write while the server goes away."""
    with connected(service.url()) as connection:
        connection.execute("CREATE TABLE half (n bigint)")
        service.stop()
        connection.execute("INSERT INTO half VALUES (1)")


def test_a_server_that_goes_away_in_the_midst_is_one_line() -> None:
    with postgres_service() as service:
        with pytest.raises(DatabaseError, match="ended the connection") as error:
            lose(service)
        assert_one_line(str(error.value), password_of(service.url()))
        with pytest.raises(ConfigError, match=r"does not answer \(.*Connection refused"), connected(service.url()):
            pass


def test_a_database_that_takes_no_writes_is_told_so(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(f"ALTER DATABASE {database.rpartition('/')[2]} SET default_transaction_read_only = on")
    with pytest.raises(DatabaseError, match="takes no writes"), connected(database) as connection:
        connection.execute("CREATE TABLE more (n bigint)")


def test_a_server_without_passwords_in_its_words(postgres: PostgresService) -> None:
    with pytest.raises(QbError) as error, connected(postgres.url()) as connection:
        connection.execute(f"SELECT '{password_of(postgres.url())}'::bigint")
    assert_one_line(str(error.value), password_of(postgres.url()))


def assert_one_line(said: str, password: str) -> None:
    assert len(said.splitlines()) == 1
    assert password not in said
    assert PASSWORD not in said
