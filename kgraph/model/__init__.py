"""The records and enums that all layers share. All are frozen.

ids, values, location and facts describe source code; resolution what call sites may call;
results what a question returns; document and verdicts what `kgraph check` reads and finds;
units what is compiled.
"""
