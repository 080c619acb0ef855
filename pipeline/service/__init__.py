"""All that is held of one service between two ticks, and how its production is."""
