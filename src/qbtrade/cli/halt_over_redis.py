"""`qb halt --over-redis`: halt a session on another machine, and wait until it says that it obeys."""

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from qbtrade.app.config import load_settings
from qbtrade.cli.text import _
from qbtrade.cli.words import word
from qbtrade.errors import BrokerError, ConfigError, ExitCode, UsageError
from qbtrade.kernel.clock import Stopwatch, sleep, wall_ns

if TYPE_CHECKING:
    from qbtrade.adapters.redis.reading import Picture, Reader

PATIENCE: Final = 10.0
"""Seconds for a session to say that it is halted; it shows itself once a second."""


def halt_over_redis(env: str, reason: str) -> ExitCode:
    """Ask the session that shows itself, or that of an environment, to halt.

    Raises: ConfigError, UsageError, BrokerError.
    """
    from qbtrade.adapters.redis.commands import HaltCommand
    from qbtrade.adapters.redis.reading import AwayError, Reader

    settings = load_settings(Path.cwd(), os.environ)
    url, key = settings.value("redis_url") or "", settings.value("redis_halt_key")
    if not (url and key):
        raise ConfigError(
            "a halt over Redis needs its address and a key", hint="Set QB_REDIS_URL and QB_REDIS_HALT_KEY"
        )
    reader = Reader(url)
    try:
        picture = _meant(reader.pictures(), env)
        asked = wall_ns()
        reader.send(HaltCommand(picture.account, reason, asked, secrets.token_hex(16)).signed(key.reveal()))
        heeds = _heeds(reader, picture)
    except AwayError as error:
        raise BrokerError(
            "Redis does not answer: {cause}", hint="Halt on the machine of the session with `qb halt`", cause=str(error)
        ) from error
    finally:
        reader.close()
    values = {"run": picture.run, "environment": word(picture.environment).lower()}
    if heeds:
        typer.echo(_("session {run} on {environment} is halted, until `qb resume` there").format(**values))
        return ExitCode.DONE
    typer.echo(_("session {run} on {environment} does not say that it is halted: look after it").format(**values))
    return ExitCode.BROKER


def _meant(pictures: "list[Picture]", env: str) -> "Picture":
    found = [picture for picture in pictures if env in {"", picture.environment}]
    if not found:
        raise UsageError("no session shows itself over Redis", hint="`qb watch` shows those that do")
    if len(found) > 1:
        names = ", ".join(picture.environment for picture in found)
        raise UsageError("several sessions show themselves: {names}", hint="Say which one with --env", names=names)
    return found[0]


def _heeds(reader: "Reader", picture: "Picture") -> bool:
    """Whether the session says within our patience that it obeys a halt."""
    watch = Stopwatch()
    while watch.seconds() < PATIENCE:
        if any(now.account == picture.account and now.heeded for now in reader.pictures()):
            return True
        sleep(0.2)
    return False
