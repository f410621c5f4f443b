"""qbtrade: rehearse, trade and explain a strategy on Korean stocks."""

__version__ = "0.1.0"
