"""Index a kernel tree, and choose and open the index that answers.

This is the composition root: it may use every layer below it. It never prints and knows no
terminal. Progress and remarks go to functions that the caller passes.
"""
