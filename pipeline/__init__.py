"""The rules: what may happen next, and why. Pure; talks to the world through `ports` only."""
