"""A module a verb: `run(args, out)`, or `run(args, room, out)` for those that ask a controller."""
