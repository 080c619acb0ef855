"""Whether a host is healthy, and for how long it has been."""
