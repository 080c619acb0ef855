"""Load balancers: taking a host out of the traffic while it is deployed to."""
