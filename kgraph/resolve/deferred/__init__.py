"""Deferred calls: registered in one place, asked for in another, and run later by a third.

`specification` says which functions and slots do this; `keys` evaluates what a call registers
under; `summaries` follows
wrappers to their callers; `matching` joins requests with what is registered; `analysis` runs them.
"""
