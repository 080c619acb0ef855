"""Objectives and error budgets: exact sums over slices of time, what is left, and the debt of a spent quota."""
