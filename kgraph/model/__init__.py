"""The records and enums that all layers share. All are frozen.

ids, values, location and facts describe source code; units what is compiled; resolution what call
sites may call; results what a question returns; document and verdicts what `kgraph check` reads and
finds. codes and incremental are for resolving and storing: integers that stand for one of two
kinds, and what an incremental update has to agree on.
"""
