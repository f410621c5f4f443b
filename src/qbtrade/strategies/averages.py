"""Moving averages as running values. All integers: the same prices give the same signal on every machine."""

from collections import deque
from typing import Protocol

SCALE = 1 << 32  # an average is kept in KRW / 2^32


class Average(Protocol):
    """A running average. `value` is scaled by SCALE; it means something once `ready`."""

    value: int
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
        self.value = 0
        self.ready = False

    def add(self, price: int) -> None:
        """Take in the next price, KRW."""
        window = self._window
        window.append(price)
        self._sum += price
        if len(window) > self._length:
            self._sum -= window.popleft()
        self.ready = len(window) == self._length
        self.value = self._sum * SCALE // len(window)


class Ema:
    """Exponential average with weight 2 / (length + 1), started by the mean of the first `length` prices."""

    __slots__ = ("_divisor", "_seen", "_length", "ready", "value")

    def __init__(self, length: int) -> None:
        self._length = length
        self._divisor = length + 1
        self._seen = 0
        self.value = 0
        self.ready = False

    def add(self, price: int) -> None:
        """Take in the next price, KRW."""
        if self.ready:
            self.value += 2 * (price * SCALE - self.value) // self._divisor
            return
        self.value += price * SCALE
        self._seen += 1
        if self._seen == self._length:
            self.value //= self._length
            self.ready = True


def average(kind: str, length: int) -> Average:
    """A fresh average: `sma` or `ema`."""
    return Ema(length) if kind == "ema" else Sma(length)
