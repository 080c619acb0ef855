"""A whole company on this machine's loopback addresses: real processes, real traffic, real faults."""
