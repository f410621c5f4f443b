"""The process beside a live session that halts its account when it falls silent; `qb live` starts it."""

import os
import sys
from contextlib import suppress

from qbtrade.adapters.lifeline import Listener


def main() -> None:
    """Watch the session whose letter comes over standard input."""
    listener = Listener()
    letter = listener.letter()
    from qbtrade.app.home import OURS_ALONE
    from qbtrade.app.live.deadman import of_letter
    from qbtrade.app.live.watchdog import watch
    from qbtrade.cli.words import said
    from qbtrade.domain.calendar import iso_kst
    from qbtrade.kernel.clock import wall_ns

    ward = of_letter(letter)
    if ward is None:
        return
    log = ward.home / "watchdog" / f"{ward.run_id}.log"

    def say(text: str) -> None:
        line = f"{iso_kst(wall_ns())[:19]} qb watchdog: {said(text)}\n"
        with suppress(OSError):
            sys.stderr.write(line)
            sys.stderr.flush()
        with suppress(OSError):
            log.parent.mkdir(mode=OURS_ALONE, parents=True, exist_ok=True)
            handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            os.write(handle, line.encode())
            os.close(handle)

    watch(ward, listener, say)


if __name__ == "__main__":
    main()
