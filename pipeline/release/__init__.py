"""One release in one tick: what is known, what it waits for, who is told what; and what people may ask of it."""
