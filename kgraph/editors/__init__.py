"""The language server: what editors ask about a place of a file, answered from an index.

Owns the protocol: positions, items, messages. What a place means and what calls it is found by
kgraph.query. The only importer of pygls and lsprotocol.
"""
