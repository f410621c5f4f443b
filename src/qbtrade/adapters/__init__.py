"""The outside world, one folder per party."""
