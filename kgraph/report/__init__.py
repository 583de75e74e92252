"""Answers as text and as JSON records; HTML reports are to come.

Owns what an answer looks like. Must not print, ask the user, or search.
"""
