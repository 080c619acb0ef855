"""Canary against production: what was seen, and what follows from it."""
