"""Where a service's hosts come from besides the configuration: files, commands, Prometheus' own targets."""
