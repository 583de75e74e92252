"""Checks documented call chains: parses a document, places each line in its context, judges it by
the form of its claim, and then judges its citation.

`document` turns bytes into claims and knows no index. `claims` judges, one module a form of claim.
`source` reads C as text if the index does not hold what a claim needs. How verdicts are shown is
not known here. `kgraph.check.walk` is where to start reading.

This package and `document` import nothing when they are imported themselves: `kgraph path` reads
query files, and must not load the judges for that.
"""
