"""Models: what the code cannot show, declared in TOML files, each row with its reason.

`declared` reads the files. The other modules apply them to the facts before these are solved.
"""
