import stat
import tomllib
from pathlib import Path

import keyring
import pytest

from qbtrade.adapters.kis.environment import EnvKind, Secret
from qbtrade.app.config import load_settings
from qbtrade.app.credentials import Customer, choose, has_keyring, keep
from qbtrade.app.kis_account import environment_of
from qbtrade.errors import ConfigError, FileError, UsageError
from tests.keyrings import keyring_in_memory

KEY, SECRET = "PSab" + "7c" * 16, "s3cret/+=" * 5


def customer(**changed: str) -> Customer:
    said = {"app_key": KEY, "app_secret": SECRET, "account": "12345678-01", "hts_id": "holder", **changed}
    return Customer(
        app_key=Secret(said["app_key"]), app_secret=Secret(said["app_secret"]), account=said["account"],
        hts_id=said["hts_id"],
    )  # fmt: skip


def test_what_is_kept_in_files_makes_the_environment_and_only_the_owner_reads_it(tmp_path: Path) -> None:
    written = keep(tmp_path, EnvKind.PAPER, customer(), in_keyring=False)

    found = environment_of(load_settings(tmp_path, {}), EnvKind.PAPER)
    assert (found.app_key.reveal(), found.app_secret.reveal(), found.hts_id) == (KEY, SECRET, "holder")
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in written} == {"qb.toml": 0o600, ".env": 0o600}
    assert SECRET not in (tmp_path / "qb.toml").read_text(encoding="utf-8")


def test_what_else_stands_in_the_files_stays(tmp_path: Path) -> None:
    (tmp_path / "qb.toml").write_text(
        "# mine\n[limits]\nmax_budget = 5\n\n[kis]\ncalls_per_second = 3 # slow\nenv = 'real'\n[params]\nfast = 3\n",
        encoding="utf-8",
    )
    (tmp_path / ".env").write_text("OTHER=1\nexport QB_KIS_PAPER_APP_KEY=old\n", encoding="utf-8")

    keep(tmp_path, EnvKind.PAPER, customer(), in_keyring=False)
    keep(tmp_path, EnvKind.PAPER, customer(account="11112222-01"), in_keyring=False)

    text = (tmp_path / "qb.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)
    assert text.startswith("# mine\n[limits]\nmax_budget = 5\n")
    assert "# slow" in text
    assert found["kis"]["env"] == "paper"
    assert found["kis"]["paper"]["account"] == "11112222-01"
    assert (tmp_path / ".env").read_text(encoding="utf-8").splitlines()[0] == "OTHER=1"
    assert (tmp_path / ".env").read_text(encoding="utf-8").count("QB_KIS_PAPER_APP_KEY") == 1


def test_a_keyring_takes_the_keys_and_the_files_only_name_them(tmp_path: Path) -> None:
    keep(tmp_path, EnvKind.PAPER, customer(), in_keyring=False)
    with keyring_in_memory():
        assert has_keyring()
        keep(tmp_path, EnvKind.PAPER, customer(), in_keyring=True)

        assert keyring.get_password("qbtrade", "kis.paper.app_secret") == SECRET
        assert environment_of(load_settings(tmp_path, {}), EnvKind.PAPER).app_key.reveal() == KEY
    files = "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
    assert KEY not in files
    assert SECRET not in files


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"app_key": "your_app_key_comes_here"}, "the app key is a placeholder"),
        ({"account": "12345678"}, "the account is not written as 12345678-01"),
        ({"app_secret": "two words that are no key"}, "has letters that no key has"),
        ({"hts_id": "me'; rm"}, "has letters that no key has"),
    ],
)
def test_what_is_no_key_is_refused_before_anything_is_written(
    changed: dict[str, str], problem: str, tmp_path: Path
) -> None:
    with pytest.raises((ConfigError, UsageError), match=problem):
        keep(tmp_path, EnvKind.PAPER, customer(**changed), in_keyring=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_written_in_another_way_is_left_alone(tmp_path: Path) -> None:
    text = 'kis = { env = "real" }\n'
    (tmp_path / "qb.toml").write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match="in a way that qb init cannot change"):
        choose(tmp_path, EnvKind.EMULATOR)
    assert (tmp_path / "qb.toml").read_text(encoding="utf-8") == text
