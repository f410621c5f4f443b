"""Events, time and the loop; knows nothing of trading."""
