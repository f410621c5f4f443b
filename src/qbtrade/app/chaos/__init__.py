"""The simulator of faults: the real engines and KIS client on virtual time, where one seed decides what goes wrong."""
