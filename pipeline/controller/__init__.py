"""The controller: its rounds, and all that it keeps beside a service's own state."""
