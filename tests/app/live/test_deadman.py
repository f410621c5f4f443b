"""How long a session may be silent, and what its watcher is told."""

from pathlib import Path

from qbtrade.adapters.emulator.plan import CREDENTIALS
from qbtrade.app.config import Settings
from qbtrade.app.kis_account import local_environment
from qbtrade.app.live.deadman import Silence, Ward, of_letter, to_letter
from tests.builders import SECOND

HERE = local_environment(Settings({}), "paper", CREDENTIALS["paper"], ("http://127.0.0.1:1", "ws://127.0.0.1:1"))


def turns(silence: Silence, first: int, last: int) -> list[int]:
    """Seconds at which a watcher that looks every second finds that it lasts too long."""
    return [second for second in range(first, last) if silence.is_too_long(second * SECOND)]


def test_silence_is_too_long_once_it_lasts_longer_than_was_said() -> None:
    silence = Silence(30 * SECOND, 0)
    silence.broken(10 * SECOND)
    assert turns(silence, 11, 43) == [41, 42]
    silence.broken(43 * SECOND)
    assert turns(silence, 44, 60) == []


def test_a_watcher_that_slept_gives_the_session_its_whole_time_again() -> None:
    silence = Silence(30 * SECOND, 0)
    assert turns(silence, 1, 20) == []
    assert turns(silence, 3600, 3632) == [3631]


def test_a_letter_tells_the_watcher_all_it_needs_keys_included() -> None:
    ward = Ward(Path("/home"), "R1", HERE, 1, 2, 30 * SECOND)
    told = of_letter(to_letter(ward))
    assert told == ward
    assert told.environment.app_secret.reveal() == HERE.app_secret.reveal()
    assert HERE.app_secret.reveal() not in repr(told)


def test_a_letter_that_was_cut_off_is_none() -> None:
    letter = to_letter(Ward(Path("/home"), "R1", HERE, 1, 2, 3))
    assert of_letter(letter[:-1]) is None
    assert of_letter(b"") is None
