"""`python -m qbtrade` is `qb`."""

from qbtrade.cli.main import run

if __name__ == "__main__":
    run()
