"""Errors that users can act on.

Owns the exception classes. Imports nothing of kgraph, so that every layer may raise them. The
command line prints a KgraphError as two lines (what is wrong, what to do) and exits with status
2.
"""


class KgraphError(Exception):
    """An error that you can act on: `message` says what is wrong, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class TreeError(KgraphError):
    """The kernel tree is missing, unreadable, or not a kernel tree."""


class ToolError(KgraphError):
    """A program that kgraph runs is missing, or failed."""


class ConfigurationError(KgraphError):
    """The build configuration or compile_commands.json cannot be used."""


class StoreError(KgraphError):
    """The index is missing, damaged, locked or of another version."""


class ClusterError(KgraphError):
    """The cluster cannot be reached, or its workers would not read units as this machine does."""


class DocumentError(KgraphError):
    """A document or query file cannot be read."""


class ReportError(KgraphError):
    """A report cannot be written to its folder."""


class LookupFailed(KgraphError):
    """A function, table, slot or file:line is unknown or ambiguous."""
