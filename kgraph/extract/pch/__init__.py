"""Makes and uses precompiled headers, which cut the time that parsing takes.

A unit uses one only where that cannot change its facts. `select` chooses the headers to precompile,
`make` makes them, `compatible` decides which units may use one.
"""
