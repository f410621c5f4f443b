"""Sockets and threads of the KIS client, and nothing else of it: the only room there that has any.

Threads hand events to the loop's inbox and take what is asked of them from queues; nobody who asks ever waits.
"""

from qbtrade.adapters.kis.transport.exchange import call_once
from qbtrade.adapters.kis.transport.stream import StreamThread
from qbtrade.adapters.kis.transport.workers import HttpWorkers

__all__ = ["HttpWorkers", "StreamThread", "call_once"]
