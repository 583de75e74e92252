"""Loggers, one a package, that cost nothing unless somebody listens.

`KGRAPH_LOG=debug kgraph ...` shows what a run decides. A program that uses kgraph configures the
loggers "kgraph.query", "kgraph.resolve" ... as usual. Importing `logging`
takes longer than many questions take to answer, so this module does not import it. A program that
listens has imported it already.
"""

import sys


class PackageLogger:
    """The logger of a package, by the package's name."""

    def __init__(self, package: str) -> None:
        self._package = package

    def debug(self, message: str, *values: object) -> None:
        """Log a message with %-placeholders for `values`."""
        logging = sys.modules.get("logging")
        if logging is not None:
            logging.getLogger(self._package).debug(message, *values)
