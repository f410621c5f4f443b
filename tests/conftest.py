"""Tests that share the machine's time with others get another try; servers that the tests of one process share."""

import signal
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from qbtrade.adapters.services.postgres import PostgresService
from qbtrade.adapters.services.redis import RedisService
from tests.servers import postgres_service, redis_service

AGAINST_TIME: Final = frozenset(
    {
        "tests.adapters.kis.transport.servers", "tests.app.preflight.stand", "tests.cli.terminal", "tests.kis_market",
        "tests.kis_venue", "tests.live_days", "tests.program", "tests.servers", "tests.terminals", "tests.venues",
    }
)  # fmt: skip
"""What starts processes, or a market that goes on while the machine is busy with other things."""

MEASURED: Final = ("domain", "kernel", "engines", "strategies", "golden", "app/live", "app/scenarios", "app/test_")
"""The tests to which tools/coverage_floor.py looks. Tracing doubles the work of a test: all others go without."""

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")  # a busy machine is no fault of what is tested

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell leaves it so to what runs in its background, and our
    signal.signal(signal.SIGINT, signal.default_int_handler)  # programs would inherit that: no Ctrl+C would end them


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run such a test once more before it fails; the summary names each that needed that. Choose whom to trace."""
    here = Path(__file__).parent
    for item in items:
        if not item.path.relative_to(here).as_posix().startswith(MEASURED):
            item.add_marker(pytest.mark.no_cover)
        used = vars(getattr(item, "module", item)).values()
        if any(value is subprocess or getattr(value, "__module__", "") in AGAINST_TIME for value in used):
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=1))


numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresService]:
    """A PostgreSQL server that runs while the tests do. Who kills it takes one of its own."""
    with postgres_service() as service:
        yield service


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisService]:
    """A Redis server that runs while the tests do."""
    with redis_service() as service:
        yield service


@pytest.fixture
def database(postgres: PostgresService) -> Iterator[str]:
    """The address of an empty database, password and all."""
    import psycopg

    access, name = postgres.access, f"test_{next(numbers)}"
    assert access is not None
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield access.url(postgres.scheme, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
