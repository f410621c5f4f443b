"""Something to be done with PostgreSQL that is not waited for longer than some time."""

import threading
from collections.abc import Callable
from typing import TypeVar

from qbtrade.errors import DatabaseError, QbError

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """Do some work, which may use nothing that another thread uses. seconds: machine time.

    A server that stands still answers nothing and ends nothing, and a wait for it has no other end.
    Raises: DatabaseError when it takes longer; whatever the work raises.
    """
    done: list[T] = []
    failed: list[QbError] = []

    def run() -> None:
        try:
            done.append(work())
        except QbError as error:
            failed.append(error)
        except Exception as error:  # noqa: BLE001 (it is told where it is waited for)
            failed.append(DatabaseError("internal error: {kind}", kind=type(error).__name__))

    thread = threading.Thread(target=run, name="postgres-errand", daemon=True)
    thread.start()
    thread.join(seconds)
    for error in failed:
        raise error
    if not done:
        raise DatabaseError("PostgreSQL does not answer within {seconds:,.0f} s", seconds=seconds)
    return done[0]
