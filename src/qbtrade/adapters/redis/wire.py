"""Many commands in one message. redis-py's pipelines take the interpreter more than twice as long."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import redis


def packed(*words: bytes) -> bytes:
    """A command as it stands on the wire."""
    return b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words])


def tell(client: "redis.Redis", commands: Sequence[bytes]) -> None:
    """Send commands and hear that each was obeyed.

    Raises: redis.RedisError, OSError. Then some were perhaps obeyed, and the connection is given up.
    """
    pool = client.connection_pool
    connection: Any = pool.get_connection()
    try:
        connection.send_packed_command([b"".join(commands)])
        for _ in commands:
            connection.read_response(disable_decoding=True)
    except BaseException:
        connection.disconnect()  # the answers to the others are still to come
        raise
    finally:
        pool.release(connection)
