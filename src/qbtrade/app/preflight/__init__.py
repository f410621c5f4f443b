"""Everything that must hold before a session trades: one row per check, and a verdict that `qb live` asks for."""

from qbtrade.app.preflight.rows import Row, Status
from qbtrade.app.preflight.run import SHORT, clearance, preflight
from qbtrade.app.preflight.verdict import Verdict, why_no_go

__all__ = ["SHORT", "Row", "Status", "Verdict", "clearance", "preflight", "why_no_go"]
