"""What is remembered of a service's hosts from tick to tick: samples, charts, quiet days. All of it bounded."""
