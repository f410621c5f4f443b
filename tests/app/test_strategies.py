"""Strategies are found by name, module or file, and their parameters are typed."""

from pathlib import Path

import pytest

from qbtrade.app.strategies import load_strategy
from qbtrade.errors import QbError, StrategyError, UnknownNameError, UsageError
from qbtrade.strategies.sma_cross import CrossParams, SmaCross

MINE = """
import msgspec
from qbtrade.ports import Strategy

class Mine(Strategy):
    class Params(msgspec.Struct, frozen=True):
        level: int = 3
        name: str = "x"

class Broken(Strategy):
    def __init__(self, desk, symbols, params):
        raise KeyError("my own mistake")

class NoStrategy:
    pass
"""


def mine(folder: Path, text: str = MINE) -> str:
    path = folder / "my_strategy.py"
    path.write_text(text)
    return str(path)


def test_the_worked_example_has_defaults() -> None:
    loaded = load_strategy("sma_cross", {})
    assert (loaded.cls, loaded.params) == (SmaCross, CrossParams())
    assert loaded.shown_params() == {"fast": "5", "slow": "20", "average": "sma"}


def test_parameters_are_converted_to_their_types() -> None:
    assert load_strategy("sma_cross", {"fast": "3", "average": "ema"}).params == CrossParams(3, 20, "ema")


def test_a_module_and_a_file_can_hold_a_strategy(tmp_path: Path) -> None:
    assert load_strategy("qbtrade.strategies.sma_cross:SmaCross", {}).cls is SmaCross
    loaded = load_strategy(f"{mine(tmp_path)}:Mine", {"level": "7"})
    assert loaded.shown_params() == {"level": "7", "name": "x"}


def test_the_digest_follows_the_source(tmp_path: Path) -> None:
    before = load_strategy(f"{mine(tmp_path)}:Mine", {}).digest
    assert load_strategy(f"{mine(tmp_path, MINE + '# changed')}:Mine", {}).digest != before


@pytest.mark.parametrize(
    ("name", "params", "error", "words"),
    [
        ("sma_crss", {}, UnknownNameError, "Did you mean 'sma_cross'"),
        ("sma_cross", {"fsat": "5"}, UnknownNameError, "Did you mean 'fast'"),
        ("sma_cross", {"fast": "five"}, UsageError, "fast"),
        ("sma_cross", {"fast": "30"}, UsageError, "smaller than slow=20"),
        ("sma_cross", {"average": "wma"}, UsageError, "average"),
        ("qbtrade.strategies.sma_cross:SmaCros", {}, UnknownNameError, "Did you mean 'SmaCross'"),
        ("no.such.module:Thing", {}, StrategyError, "no module named 'no.such.module'"),
        ("./nowhere.py:Thing", {}, StrategyError, "no such strategy file"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, params: dict[str, str], error: type[QbError], words: str) -> None:
    with pytest.raises(error, match=words):
        load_strategy(name, params)


def test_a_class_that_is_no_strategy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="not a strategy"):
        load_strategy(f"{mine(tmp_path)}:NoStrategy", {})


def test_a_module_that_raises_shows_its_own_traceback(tmp_path: Path) -> None:
    with pytest.raises(StrategyError) as caught:
        load_strategy(f"{mine(tmp_path, 'value = 1 / 0')}:Mine", {})
    text = str(caught.value)
    assert "ZeroDivisionError" in text
    assert "my_strategy.py" in text
    assert "importlib" not in text


def test_a_constructor_that_raises_shows_its_own_traceback(tmp_path: Path) -> None:
    loaded = load_strategy(f"{mine(tmp_path)}:Broken", {})
    with pytest.raises(StrategyError) as caught:
        loaded.build(None, ())  # type: ignore[arg-type]
    assert "my own mistake" in str(caught.value)
    assert "app/strategies.py" not in str(caught.value)
