"""The KIS client: REST and stream as state machines; transport.py alone has sockets and threads."""
