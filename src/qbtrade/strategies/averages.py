"""Moving averages as running values.

Floats, because an average is an opinion and never money; sums, quotients and products of them are the same on every
machine.
"""

from collections import deque
from typing import Protocol


class Average(Protocol):
    """A running average. value: KRW; it means something once `ready`."""

    value: float
    ready: bool

    def add(self, price: int) -> None:
        """Take in the next price, KRW."""
        ...


class Sma:
    """Mean of the last `length` prices. Constant time and memory per price."""

    __slots__ = ("_length", "_sum", "_window", "ready", "value")

    def __init__(self, length: int) -> None:
        self._length = length
        self._window: deque[int] = deque()
        self._sum = 0
        self.value = 0.0
        self.ready = False

    def add(self, price: int) -> None:
        """Take in the next price, KRW."""
        window = self._window
        window.append(price)
        self._sum += price
        if self.ready:
            self._sum -= window.popleft()
        else:
            self.ready = len(window) == self._length
        self.value = self._sum / len(window)


class Ema:
    """Exponential average with weight 2 / (length + 1), started by the mean of the first `length` prices."""

    __slots__ = ("_length", "_seen", "_weight", "ready", "value")

    def __init__(self, length: int) -> None:
        self._length = length
        self._weight = 2 / (length + 1)
        self._seen = 0
        self.value = 0.0
        self.ready = False

    def add(self, price: int) -> None:
        """Take in the next price, KRW."""
        if self.ready:
            self.value += (price - self.value) * self._weight
            return
        self.value += price
        self._seen += 1
        if self._seen == self._length:
            self.value /= self._length
            self.ready = True


def average(kind: str, length: int) -> Average:
    """A fresh average: `sma` or `ema`."""
    return Ema(length) if kind == "ema" else Sma(length)
