"""Formats that programs print and write: stacks, traces, graphs, boxes; one module a format.

Each reader has a `sniff`, which says in percent how sure it is that its format begins at a line,
and a `read`, which says what each line claims and which line calls it. `registry` lists all
readers; a new format is a new module and an entry there. Trees that people draw are not here: the
parser of documents reads them line by line.
"""
