"""Staging checks: probes of endpoints, and commands."""
