"""Judges claims, one module a form.

Each judge takes a line in its context and gives an Outcome. None knows how the line was parsed or
how verdicts are shown.
"""
