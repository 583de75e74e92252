"""The constraints and sets of one holder, as resolving sees them.

    python -m tests.bench.constraints INDEX HOLDER

HOLDER is written as evidence writes it: sock.sk_prot, tcp_prot, inet_create(#0), a local's name.
"""

import sys
from pathlib import Path

from kgraph.resolve.constraint_dump import dump_holder
from kgraph.store.codec import FactsDecoder
from kgraph.store.reader import IndexReader


def main(index: str, holder: str) -> None:
    """Print the dump."""
    decoder = FactsDecoder()
    reader = IndexReader(Path(index))
    definitions = [decoder.decode(*row) for row in reader.iter_encoded_definitions()]
    for line in dump_holder(definitions, holder):
        print(line)


if __name__ == "__main__":
    main(*sys.argv[1:])
