"""Where server programs are looked for."""

from pathlib import Path

import pytest

from qbtrade.adapters.services import owner, programs
from qbtrade.adapters.services.programs import Program
from qbtrade.errors import FileError


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine on which nothing is installed, whose PATH is a folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(programs, "DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(programs, "HOMEBREW", (tmp_path / "homebrew",))
    monkeypatch.setattr(programs, "package_folder", lambda _name: None)
    return folder


def says(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{text}'\n", encoding="utf-8")
    path.chmod(0o755)


def test_a_machine_without_servers_is_told_how_to_get_them(bare: Path) -> None:
    del bare
    with pytest.raises(FileError, match=r"no PostgreSQL server .*qbtrade\[services\].*apt install.*brew install"):
        programs.postgres()
    with pytest.raises(FileError, match=r"no Redis server .*qbtrade\[services\].*apt install.*brew install"):
        programs.redis()


def test_what_is_on_the_path_comes_first_then_the_newest_of_the_system(bare: Path, tmp_path: Path) -> None:
    for major in (9, 15, 17):
        for name in ("postgres", "initdb"):
            says(tmp_path / "debian" / str(major) / "bin" / name, f"postgres (PostgreSQL) {major}.2 (Debian)")
    assert programs.postgres().version == "17.2"
    assert programs.postgres(15).version == "15.2"

    for name in ("postgres", "initdb"):
        says(bare / name, "postgres (PostgreSQL) 16.1")
    assert programs.postgres() == Program("PostgreSQL", "16.1", bare / "postgres", bare.parent)


def test_data_of_a_version_that_is_gone_are_not_touched_by_another(bare: Path, tmp_path: Path) -> None:
    del bare
    for name in ("postgres", "initdb"):
        says(tmp_path / "homebrew" / "postgresql@17" / "bin" / name, "postgres (PostgreSQL) 17.2 (Homebrew)")
    with pytest.raises(FileError, match="made by PostgreSQL 15, which is not here any more"):
        programs.postgres(15)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64", "Redis 6.2.14"),
        ("Valkey server v=9.1.2 sha=00000000:0 malloc=libc bits=64", "Valkey 9.1.2"),
        ("Redis server v=5.0.3 sha=00000000:0 malloc=libc bits=64", ""),
        ("something else", ""),
    ],
)
def test_redis_and_valkey_are_told_by_what_they_say(line: str, found: str, bare: Path) -> None:
    says(bare / "redis-server", line)
    if found:
        assert f"{programs.redis().name} {programs.redis().version}" == found
    else:
        with pytest.raises(FileError):
            programs.redis()


@pytest.mark.skipif(not owner.is_root(), reason="only root runs servers as somebody else")
def test_a_program_in_a_closed_folder_is_copied_whole_to_where_nobody_may_run_it(tmp_path: Path) -> None:
    shut = tmp_path / "shut"  # pytest's folders are closed to others
    says(shut / "pginstall" / "bin" / "postgres", "hello")
    program = Program("PostgreSQL", "18.6", shut / "pginstall" / "bin" / "postgres", shut / "pginstall")
    place = tmp_path / "place"
    place.mkdir()

    binary = owner.reachable(program, place)

    assert binary == place / "program-18.6" / "pginstall" / "bin" / "postgres"
    assert binary.read_text() == program.path.read_text()
    binary.write_text("kept")
    assert owner.reachable(program, place).read_text() == "kept"


@pytest.mark.skipif(not owner.is_root(), reason="only root runs servers as somebody else")
def test_a_folder_that_only_root_may_enter_is_refused_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"may be entered by root alone.*QB_SERVICES_DIR"):
        owner.make_folder(tmp_path / "servers")
