"""Documents that hold call chains: from bytes to lines, each with its claim.

Owns the notation, and query files. Knows neither a tree nor an index, nor whether a claim is true.
"""
