"""Virtual time: a process on a machine that sleeps does nothing, whatever goes on around it."""

from qbtrade.app.chaos.market import START
from qbtrade.app.chaos.world import World
from qbtrade.domain.calendar import NS
from qbtrade.kernel.loop import StopRequest
from tests.app.live.shared_account import SharedAccount

WAKES = START + 60 * NS


def asleep() -> World:
    world = SharedAccount().world
    world.asleep_until = WAKES
    return world


def test_a_stop_that_comes_while_the_machine_sleeps_is_seen_when_it_wakes() -> None:
    world, stop = asleep(), StopRequest()
    world.at(START + 10 * NS, lambda: stop.ask("by hand"))
    assert world.run(WAKES + 60 * NS, lambda: stop.asked)
    assert world.now == WAKES


def test_patience_that_ends_while_the_machine_sleeps_is_over_when_it_wakes() -> None:
    world, heard = asleep(), list[int]()
    for second in (10, 50, 70):
        world.at(START + second * NS, lambda: heard.append((world.now - START) // NS))
    assert not world.run(START + 20 * NS, lambda: False)
    assert (world.now, heard) == (WAKES, [10, 50])
