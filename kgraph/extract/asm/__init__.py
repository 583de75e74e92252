"""Reads assembler: inline, at file scope, and in sources of its own.

Owns the syntax of the GNU assembler, and what a definition in it calls and refers to.
"""
