"""Many seeds, on all cores; and of a failing one the smallest world that still fails."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec
from msgspec.structs import replace

from qbtrade.app.chaos.plan import ChaosPlan, drawn
from qbtrade.app.chaos.run import Verdict, run
from qbtrade.app.files import write_whole
from qbtrade.errors import FileError


def verdicts(plans: Iterable[ChaosPlan], *, processes: int = 0) -> Iterator[Verdict]:
    """The verdict of every plan, in order. processes: 0 for as many as there are cores, 1 for none beside this."""
    if processes == 1:
        yield from map(run, plans)
        return
    with ProcessPoolExecutor(processes or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        yield from pool.map(run, plans, chunksize=4)


def plans(first: int, runs: int, faults: dict[str, int], trouble: int, days: int = 1) -> Iterator[ChaosPlan]:
    """The plans of seeds in a row. trouble: minutes with faults, 0 for the usual ones."""
    for seed in range(first, first + runs):
        plan = drawn(seed, faults)
        yield replace(plan, trouble=trouble or plan.trouble, days=days)


def shrunk(plan: ChaosPlan) -> ChaosPlan:
    """A plan that still breaks a promise, with nothing left that it does not need."""
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for smaller in _smaller(plan):
            if run(smaller).broken:
                plan, is_smaller = smaller, True
                break
    return plan


def _smaller(plan: ChaosPlan) -> Iterator[ChaosPlan]:
    for at in range(len(plan.crashes)):
        yield replace(plan, crashes=plan.crashes[:at] + plan.crashes[at + 1 :])
    for name in plan.rates:
        yield replace(plan, rates={other: rate for other, rate in plan.rates.items() if other != name})
    for name, least in (("trouble", 1), ("days", 1), ("symbols", 1)):
        if getattr(plan, name) > least:
            yield replace(plan, **{name: getattr(plan, name) - 1})


def save(plan: ChaosPlan, path: Path) -> None:
    """Keep a plan as a file. Raises: FileError."""
    write_whole(path, msgspec.json.format(msgspec.json.encode(plan)) + b"\n")


def load(path: Path) -> ChaosPlan:
    """Read a plan from a file. Raises: FileError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=ChaosPlan)
    except OSError as error:
        raise FileError("cannot read {path}: {cause}", path=path, cause=error.strerror or error) from error
    except msgspec.DecodeError as error:
        raise FileError("{path} is no plan of `qb chaos`: {cause}", path=path, cause=error) from error
