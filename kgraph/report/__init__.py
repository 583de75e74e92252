"""Answers in the forms that people and programs read.

Owns what an answer looks like: text, JSON, pictures, HTML, the files of other tools. It neither
prints nor asks the user, and decides nothing about the kernel.
"""
