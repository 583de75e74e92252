"""Deferred calls: registered in one place, requested in another, and run later by a third.

`specification` says which functions and slots do this; `keys` evaluates what a call registers
under; `summaries` follows wrappers to their callers; `record_rows` reads the numbers that stand
next to functions in tables; `matching` joins requests with what is registered; `analysis` runs them
all. `stored_callbacks` finds the calls through pointers that run a callback stored earlier.

A new kind of deferred call is a few rows in models/deferred.toml, and no code.
"""
