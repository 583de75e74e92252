"""The version of the index file, and its schema.

History: 1 the first form; 2 facts under the digest of their
bytes, with the files that units read; 3 sealed (seal.py); 4 with what assembler names,
overlays among the flows, proofs of empty call sites, requests to run something later, the
numbers beside functions in tables, and holders and macros of members by name; 5 with the tables
that pointer fields hold by way of copies, and overlays by whether one carries any pointer.
"""

from pathlib import Path

VERSION = 5
APPLICATION_ID = 0x6B677068  # "kgph", in SQLite's header


def schema_sql() -> str:
    """The statements that make an empty index."""
    return Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
