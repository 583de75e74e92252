"""Binds libclang: types, functions, cursor kinds, and the syntax tree of one definition.

Owns the C interface and its optional C extension. Must not know what a fact is.
"""
