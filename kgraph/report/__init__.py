"""Answers in the forms that people and programs read.

Owns what an answer looks like: text, JSON, pictures, HTML, the files of other tools. Must not
print, ask the user, or decide anything about the kernel.
"""
