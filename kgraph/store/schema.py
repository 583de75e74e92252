"""The version of the index file, and its schema.

History: 1 the first form; 2 facts under the digest of their bytes, with the files that units
read; 3 with a checksum; 4 with what assembler names, overlays among the flows, proofs of empty
call sites, requests to run something later, the numbers beside functions in tables, and holders
and macros of members by name; 5 with the tables that pointer fields hold by way of copies, and
overlays by whether one carries any pointer; 6 with its references declared; 7 with parameters
of any number in its arrays; 8 with tables and columns named for what they hold (binding,
copied_table, deferred_callback; requested, key_unknown); 9 with what hops cost, what guards ask of
parameters and what call sites hand to these, also of tables; 10 with where macros are defined;
11 with the functions that alone use another as a value.
"""

from pathlib import Path

SCHEMA_VERSION = 11
APPLICATION_ID = 0x6B677068  # "kgph", in SQLite's header


def read_schema_sql() -> str:
    """The statements that make an empty index."""
    return Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
