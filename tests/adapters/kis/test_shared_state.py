import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from qbtrade.adapters.kis.auth import Held
from qbtrade.adapters.kis.call import Priority
from qbtrade.adapters.kis.environment import NS, KisLimits, Secret
from qbtrade.adapters.kis.limiter import Grants, Limiter, Wish
from qbtrade.adapters.kis.parse.keys import Grant
from qbtrade.adapters.kis.shared_state import GrantFile, TokenFile
from tests.adapters.kis.desk import APP_KEY, APP_SECRET, NOW, TOKEN, an_environment
from tests.architecture.tree import ROOT
from tests.program import PATIENCE

GRANT = Grant(Secret(TOKEN), NOW + 3600 * NS)
CALLER: Final = """
import sys, time
from pathlib import Path
from qbtrade.adapters.kis.call import Priority
from qbtrade.adapters.kis.environment import KisLimits
from qbtrade.adapters.kis.limiter import Limiter, Wish
from qbtrade.adapters.kis.shared_state import GrantFile
from tests.adapters.kis.desk import an_environment

limits = KisLimits(calls_per_second_milli=20_000, margin_ns=0)
limiter = Limiter(limits, GrantFile(Path(sys.argv[1]), an_environment()))
until = time.time_ns() + 1_500_000_000
while (now := time.time_ns()) < until:
    granted, again = limiter.take(now, [Wish(Priority.QUOTE)])
    if granted:
        print(now)
    else:
        time.sleep(min(max(again - now, 0), 20_000_000) / 1e9)
"""
HOLDER: Final = """
import fcntl, os, sys, time
handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(handle, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(1000)
"""
ASKER: Final = """
import sys
from pathlib import Path
from qbtrade.adapters.kis.shared_state import TokenFile
from tests.adapters.kis.desk import NOW, an_environment

print(TokenFile(Path(sys.argv[1]), an_environment()).reserve(NOW, 60_000_000_000))
"""


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
    )  # fmt: skip


def test_a_token_survives_the_process_that_fetched_it(tmp_path: Path) -> None:
    TokenFile(tmp_path / "kis", an_environment()).save(GRANT)
    assert TokenFile(tmp_path / "kis", an_environment()).load() == Held(GRANT, 0)


def test_the_files_are_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "kis"
    TokenFile(folder, an_environment()).save(GRANT)
    GrantFile(folder, an_environment()).update(lambda _grants: Grants((NOW,)))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    store = TokenFile(tmp_path, an_environment())
    store.save(GRANT)
    (file,) = tmp_path.iterdir()
    file.chmod(0o644)
    store.load()
    assert file.stat().st_mode & 0o777 == 0o600


def test_names_and_contents_of_the_files_hold_no_key(tmp_path: Path) -> None:
    TokenFile(tmp_path, an_environment()).save(GRANT)
    text = "".join(path.name + path.read_text() for path in tmp_path.iterdir())
    assert [secret for secret in (APP_KEY, APP_SECRET, "12345678") if secret in text] == []


@pytest.mark.parametrize(
    "change", [{"app_key": Secret("PSanotherkeyofthirtysixcharacters012")}, {"rest_url": "http://h"}]
)
def test_a_token_belongs_to_its_key_and_server(tmp_path: Path, change: dict[str, Any]) -> None:
    TokenFile(tmp_path, an_environment()).save(GRANT)
    assert TokenFile(tmp_path, an_environment(**change)).load() == Held()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"key": 5}', b"\xff\xfe", b'{"key":"other","token":"x"}'])
def test_a_file_that_cannot_be_read_holds_nothing(tmp_path: Path, content: bytes) -> None:
    store, grants = TokenFile(tmp_path, an_environment()), GrantFile(tmp_path, an_environment())
    store.save(GRANT)
    grants.update(lambda _grants: Grants((NOW,)))
    for path in tmp_path.iterdir():
        path.write_bytes(content)
    assert store.load() == Held()
    found: list[Grants] = []

    def look(before: Grants) -> Grants:
        found.append(before)
        return before

    assert grants.update(look)
    assert found == [Grants()]


def test_a_link_in_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    store = TokenFile(tmp_path / "kis", an_environment())
    store.save(GRANT)
    (file,) = (tmp_path / "kis").iterdir()
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere")
    store.save(Grant(Secret("another"), NOW + NS))
    assert not (tmp_path / "elsewhere").exists()


def test_where_the_file_cannot_be_used_the_process_keeps_its_own_token(tmp_path: Path) -> None:
    store = TokenFile(tmp_path / "kis", an_environment())
    shutil.rmtree(tmp_path / "kis")
    assert store.reserve(NOW, 60 * NS) == 0
    store.save(GRANT)
    assert store.load() == Held(GRANT, NOW)
    assert store.reserve(NOW + NS, 60 * NS) == NOW + 60 * NS


def test_calls_whose_file_is_gone_are_refused_for_now(tmp_path: Path) -> None:
    store = GrantFile(tmp_path / "kis", an_environment())
    shutil.rmtree(tmp_path / "kis")
    assert not store.update(lambda _grants: Grants((NOW,)))


def test_only_the_token_that_died_is_forgotten(tmp_path: Path) -> None:
    store = TokenFile(tmp_path, an_environment())
    store.save(GRANT)
    store.bury(Secret("another"))
    assert store.load().grant == GRANT
    store.bury(GRANT.token)
    assert store.load().grant is None


def test_the_right_to_ask_is_given_back_when_nothing_was_asked(tmp_path: Path) -> None:
    store = TokenFile(tmp_path, an_environment())
    assert store.reserve(NOW, 60 * NS) == 0
    assert store.reserve(NOW + NS, 60 * NS) == NOW + 60 * NS
    store.release()
    assert store.reserve(NOW + 2 * NS, 60 * NS) == 0


def test_of_many_processes_one_may_ask_for_a_token(tmp_path: Path) -> None:
    processes = [start(ASKER, str(tmp_path)) for _ in range(4)]
    said = [process.communicate(timeout=PATIENCE)[0].strip() for process in processes]
    assert sorted(said) == sorted(["0", *[str(NOW + 60 * NS)] * 3])


def test_processes_together_keep_the_rate(tmp_path: Path) -> None:
    processes = [start(CALLER, str(tmp_path)) for _ in range(3)]
    granted = sorted(int(line) for process in processes for line in process.communicate(timeout=PATIENCE)[0].split())
    most = max(sum(1 for ts in granted if start <= ts < start + NS) for start in granted)
    assert most <= 20
    assert len(granted) >= 21


def test_a_stopped_process_that_holds_the_token_does_not_stop_this_one(tmp_path: Path) -> None:
    tokens = TokenFile(tmp_path, an_environment())
    tokens.save(GRANT)
    with start(HOLDER, str(next(tmp_path.glob("token-*")))) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert tokens.load() == Held(GRANT)
        holder.kill()


def test_a_process_that_holds_the_calls_open_is_waited_for_and_then_left_behind(tmp_path: Path) -> None:
    store = GrantFile(tmp_path, an_environment())
    store.update(lambda _grants: Grants())
    (file,) = tmp_path.iterdir()
    holder = start(HOLDER, str(file))
    assert holder.stdout is not None
    holder.stdout.readline()
    limiter = Limiter(KisLimits(calls_per_second_milli=1000), store)

    assert limiter.take(NOW, [Wish(Priority.CANCEL)])[0] == []
    assert limiter.take(NOW + NS, [Wish(Priority.CANCEL)])[0] == [0]

    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert limiter.take(NOW + 3 * NS, [Wish(Priority.CANCEL)])[0] == [0]
    assert file.read_text() != ""
