from pathlib import Path

import pytest

from qbtrade.adapters.kis.environment import EnvKind
from qbtrade.app import devlp
from qbtrade.app.config import load_settings
from qbtrade.app.kis_account import environment_of
from qbtrade.errors import ConfigError

KEY, SECRET = "PSab" + "7c" * 16, "s3cret/" * 6
FILE = f"""\ufeff# of the official samples
my_app: "{KEY}"
my_sec: '{SECRET}'
paper_app: "앱키"
paper_sec: 앱키 시크릿  # not said yet
my_htsid: holder
my_acct_stock: "12345678"
my_prod: "01"
prod: "https://openapi.koreainvestment.com:9443"
ops: "ws://ops.koreainvestment.com:21000"
my_agent: "Mozilla/5.0 (a: b) # c"
  nested:
- list
"""


def place(folder: Path, text: str = FILE) -> Path:
    path = folder / "KIS" / "config" / "kis_devlp.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_of_the_samples_makes_an_environment(tmp_path: Path) -> None:
    place(tmp_path)
    settings = load_settings(tmp_path, {"HOME": str(tmp_path)})

    found = environment_of(settings, EnvKind.REAL)

    assert (found.app_key.reveal(), found.app_secret.reveal()) == (KEY, SECRET)
    assert (found.account, found.hts_id) == ("12345678-01", "holder")
    assert settings.origin("kis.real.app_key") == "kis_devlp.yaml my_app"
    assert settings.shown("kis.real.app_key") == "***"


def test_its_placeholders_are_refused(tmp_path: Path) -> None:
    place(tmp_path)
    with pytest.raises(ConfigError, match="the app key is too short"):
        environment_of(load_settings(tmp_path, {"HOME": str(tmp_path)}), EnvKind.PAPER)


def test_whatever_else_is_said_beats_it(tmp_path: Path) -> None:
    place(tmp_path)
    said = {"HOME": str(tmp_path), "QB_KIS_REAL_ACCOUNT": "87654321-01"}

    assert environment_of(load_settings(tmp_path, said), EnvKind.REAL).account == "87654321-01"


def test_keys_of_another_server_are_left_out(tmp_path: Path) -> None:
    path = place(tmp_path, FILE.replace("https://openapi.koreainvestment.com:9443", "http://127.0.0.1:9"))

    assert [key for key in devlp.read(path) if key.startswith("kis.real.")] == []


def test_another_place_may_be_named_and_must_be_there(tmp_path: Path) -> None:
    path = place(tmp_path)

    assert load_settings(tmp_path, {"QB_KIS_DEVLP": str(path)}).value("kis.real.account") == "12345678-01"
    with pytest.raises(ConfigError, match="No such file"):
        load_settings(tmp_path, {"QB_KIS_DEVLP": str(tmp_path / "gone.yaml")})


def test_without_a_home_folder_nothing_is_read(tmp_path: Path) -> None:
    assert devlp.usual_place({}) is None
    assert load_settings(tmp_path, {}).value("kis.real.account") is None
