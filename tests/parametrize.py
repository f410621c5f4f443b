"""What several tests are run with."""

import pytest

both_sides = pytest.mark.parametrize("side", ["real", "paper"])
"""Once for each side of KIS."""
