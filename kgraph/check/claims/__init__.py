"""Judges claims, one module a form.

Each judge takes a line in its place (PlacedLine) and gives an Outcome: the verdict with a note, the
places that bear it out, and the position that the lines below start from. None knows how verdicts
are shown.

A new form needs a LineKind, a parser in `kgraph.check.document`, a module with its judge here, and
an entry in DocumentWalk (`kgraph.check.walk`), which lists all forms.
"""
