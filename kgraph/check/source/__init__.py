"""C source read as text at question time: what a claim needs and the index does not hold.

Knows tokens, macros that stand for names, conditions, and where the tree defines a name. Knows no
document and no verdict on a line.
"""
