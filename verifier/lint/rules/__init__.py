"""One rule per file, found by its name: `look(sheet)` yields what it finds. The docstring is the
rule's manual.
"""
