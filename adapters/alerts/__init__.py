"""What the company's own alerting says of its services."""
