"""The language of trading: pure values, no I/O, no clock."""
