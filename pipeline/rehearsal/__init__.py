"""Synthetic services, good and bad, to try a judge on before it is trusted with real ones."""
