import os
import pty
import select
import subprocess
from pathlib import Path

import pytest

from qbtrade.errors import ExitCode
from tests.cli.terminal import QB, qb, qb_process

KEY, SECRET = "PSab" + "7c" * 16, "s3cret/+=" * 5


def secrets_file() -> str:
    Path("keys.txt").write_text(f"{KEY}\n{SECRET}\n", encoding="utf-8")
    return "keys.txt"


def test_flags_are_enough_where_nobody_can_be_asked() -> None:
    ended = qb_process(
        "init", "--env", "paper", "--account", "12345678-01", "--hts-id", "holder", "--secrets", secrets_file(),
        "--keep-in", "file",
    )  # fmt: skip

    assert ended.returncode == ExitCode.DONE, ended.stderr
    assert KEY not in ended.stdout + ended.stderr
    assert "https://apiportal.koreainvestment.com" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "Next: qb preflight --env paper"
    assert f"QB_KIS_PAPER_APP_KEY='{KEY}'" in Path(".env").read_text(encoding="utf-8")


def test_what_is_there_is_shown_masked_and_kept() -> None:
    first = ("init", "--env", "real", "--account", "12345678-01", "--secrets", secrets_file(), "--keep-in", "file")
    assert qb_process(*first).returncode == ExitCode.DONE

    ended = qb_process("init", "--account", "87654321-01", "--keep-in", "file")

    assert ended.returncode == ExitCode.DONE, ended.stderr
    shown = ended.stdout.partition("Known so far:")[2]
    assert "******78-01" in shown
    assert "***           .env QB_KIS_REAL_APP_KEY" in shown
    assert 'account = "87654321-01"' in Path("qb.toml").read_text(encoding="utf-8")


def test_the_emulator_needs_no_keys() -> None:
    ended = qb("init", "--env", "emulator")

    assert ended.exit_code == ExitCode.DONE
    assert 'env = "emulator"' in Path("qb.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("--env", "paper"), ExitCode.USAGE, "app key is missing, and nobody can be asked"),
        (("--secrets", "gone.txt"), ExitCode.BAD_FILE, "cannot read gone.txt: No such file or directory"),
        (("--env", "demo"), ExitCode.USAGE, "unknown environment 'demo'"),
        (("--keep-in", "drawer"), ExitCode.USAGE, "unknown place 'drawer'"),
        (("--app-key", "x"), ExitCode.USAGE, "no such option '--app-key'"),
    ],
)
def test_what_cannot_be_used_is_one_line(args: tuple[str, ...], code: ExitCode, said: str) -> None:
    ended = qb_process("init", *args, HOME="/nobody")

    assert ended.returncode == code
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_secrets_come_in_two_lines() -> None:
    Path("keys.txt").write_text(KEY, encoding="utf-8")

    ended = qb("init", "--secrets", "keys.txt")

    assert ended.exit_code == ExitCode.USAGE
    assert "two lines are wanted" in ended.stderr


def talk(process: "subprocess.Popen[bytes]", screen: int, answers: list[tuple[str, str]]) -> str:
    """Answer each question on a terminal; all that was shown."""
    seen, waiting = "", list(answers)
    while select.select([screen], [], [], 60)[0]:
        try:
            seen += os.read(screen, 4096).decode()
        except OSError:
            break
        if waiting and seen.endswith(waiting[0][0] + ": "):
            os.write(screen, waiting.pop(0)[1].encode() + b"\n")
    process.kill()  # it has ended, unless it asked what nobody expected
    return seen


def asked(*answers: tuple[str, str], **env: str) -> str:
    """What `qb init` showed to somebody who gave these answers, to its end."""
    screen, terminal = pty.openpty()
    with subprocess.Popen(
        [*QB, "init", "--keep-in", "file"], stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        env={**os.environ, "HOME": "/nobody", **env},
    ) as process:  # fmt: skip
        os.close(terminal)
        seen = talk(process, screen, list(answers))
    os.close(screen)
    assert process.returncode == ExitCode.DONE, seen
    return seen


def test_an_answer_that_cannot_be_kept_is_asked_for_again_and_nothing_typed_is_lost() -> None:
    seen = asked(
        ("[paper]", "papr"), ("[paper]", ""), ("key", "your_app_key"), ("key", KEY), ("secret", SECRET),
        ("12345678-01", "1234567801"), ("12345678-01", "12345678-01"), ("HTS id", "your_hts_id"), ("HTS id", ""),
    )  # fmt: skip

    assert "unknown environment 'papr'. Did you mean 'paper'?" in seen
    assert "the app key is a placeholder" in seen
    assert "the account is not written as 12345678-01" in seen
    assert "the HTS id is a placeholder" in seen
    assert SECRET in Path(".env").read_text(encoding="utf-8")


def test_a_placeholder_that_is_there_already_is_not_kept_by_enter() -> None:
    Path("qb.toml").write_text('[kis.paper]\nhts_id = "your_hts_id"\n', encoding="utf-8")

    asked(("[paper]", ""), ("key", KEY), ("secret", SECRET), ("12345678-01", "12345678-01"), ("HTS id", ""))

    assert 'hts_id = ""' in Path("qb.toml").read_text(encoding="utf-8")


def test_on_a_terminal_it_asks_and_never_shows_a_secret() -> None:
    seen = asked(("[paper]", ""), ("key", KEY), ("secret", SECRET), ("12345678-01", "12345678-01"), ("HTS id", "me"))

    assert KEY not in seen
    assert SECRET not in seen
    assert SECRET in Path(".env").read_text(encoding="utf-8")
