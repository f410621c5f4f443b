"""Finds a strategy by name, module or file, and reads its parameters."""

import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from qbtrade.errors import StrategyError, UnknownNameError, UsageError
from qbtrade.ports import Desk, Strategy

ANYTHING = (Exception, SystemExit)
"""What user code may raise; only Ctrl+C is not its own."""
BUILT_IN = {
    "sma_cross": "qbtrade.strategies.sma_cross:SmaCross",
    "tick_cross": "qbtrade.strategies.sma_cross:TickCross",
}


class LoadedStrategy(msgspec.Struct, frozen=True):
    """A strategy class with its parameters. name: as the user said it; digest: of its source text."""

    name: str
    cls: type[Strategy]
    params: Any
    digest: str

    def build(self, desk: Desk, symbols: tuple[str, ...]) -> Strategy:
        """Make the strategy. Raises: StrategyError with the user's own traceback."""
        try:
            strategy = self.cls(desk, symbols, self.params)
        except ANYTHING as error:
            raise _user_error(self.name, error) from error
        return strategy

    def warm_up(self, strategy: Strategy) -> int:
        """How many bars it wants to see first. Raises: StrategyError with the user's own traceback."""
        try:
            bars = strategy.warm_up()
        except ANYTHING as error:
            raise _user_error(self.name, error) from error
        if not isinstance(bars, int) or bars < 0:
            raise StrategyError(
                f"strategy {self.name!r}: warm_up() gave {bars!r}", hint="Give a number of bars, 0 or more"
            )
        return bars

    def session_id(self, version: str, run_id: str) -> str:
        """The id of a live session that runs it: with any other source text it is another one."""
        return hashlib.sha256(msgspec.json.encode((version, run_id, self.digest))).hexdigest()[:16]

    def shown_params(self) -> dict[str, str]:
        """Every parameter as text, defaults included."""
        return {field: str(getattr(self.params, field)) for field in self.params.__struct_fields__}


def load_strategy(name: str, params: dict[str, str]) -> LoadedStrategy:
    """Load `sma_cross`, `package.module:Class` or `./file.py:Class` and convert `params` to its types.

    Raises: UnknownNameError with the nearest name, UsageError for a parameter that does not fit, StrategyError with the
    user's own traceback when the module raises.
    """
    target = BUILT_IN.get(name, name)
    where, colon, class_name = target.rpartition(":")
    if not colon:
        raise UnknownNameError("strategy", name, BUILT_IN)
    module = _module(name, where)
    cls = getattr(module, class_name, None)
    if cls is None:
        raise UnknownNameError(f"strategy class in {where}", class_name, _strategies(module))
    if not (inspect.isclass(cls) and issubclass(cls, Strategy)):
        raise StrategyError(f"{name} is not a strategy", hint="Derive the class from qbtrade.ports.Strategy")
    source = inspect.getsource(module).encode()
    return LoadedStrategy(name, cls, _convert(name, cls, params), hashlib.sha256(source).hexdigest())


def _module(name: str, where: str) -> ModuleType:
    is_file = where.endswith(".py")
    if is_file and not Path(where).is_file():
        raise StrategyError(f"{where}: there is no such strategy file", hint="Give ./my_strategy.py:MyStrategy")
    if not is_file and not _is_importable(where):
        raise StrategyError(
            f"no module named {where!r} for strategy {name!r}", hint="Give package.module:Class or ./file.py:Class"
        )
    try:
        return _from_file(Path(where)) if is_file else importlib.import_module(where)
    except ANYTHING as error:
        raise _user_error(name, error) from error


def _is_importable(module: str) -> bool:
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _from_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"qbtrade_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise StrategyError(f"{path} cannot be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _strategies(module: ModuleType) -> list[str]:
    return [name for name, value in vars(module).items() if inspect.isclass(value) and issubclass(value, Strategy)]


def _convert(name: str, cls: type[Strategy], params: dict[str, str]) -> Any:
    fields = {field.name: field for field in msgspec.structs.fields(cls.Params)}
    for given in params:
        if given not in fields:
            raise UnknownNameError(f"parameter of {name}", given, fields)
    try:
        return msgspec.convert(params, cls.Params, strict=False)
    except msgspec.ValidationError as error:
        words, _, field = str(error).replace("`", "").partition(" - at $.")
        raise UsageError(
            "--param {field}={value}: {words}", hint="Parameters of {name}: {known}",
            field=field, value=params.get(field, ""), words=words, name=name, known=", ".join(fields),
        ) from error  # fmt: skip


def _user_error(name: str, error: BaseException) -> BaseException:
    if isinstance(error, UsageError):
        return error
    frames = error.__traceback__
    while frames is not None and (
        "importlib" in frames.tb_frame.f_code.co_filename or frames.tb_frame.f_code.co_filename == __file__
    ):
        frames = frames.tb_next
    text = "".join(traceback.format_exception(type(error), error, frames)).rstrip()
    return StrategyError(f"strategy {name!r} raised {type(error).__name__}: {error}\n{text}")
