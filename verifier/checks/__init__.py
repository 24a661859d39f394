"""Kinds of checks, one file each, found by file name. `base` is the contract; names with `_` are
shared looks.
"""
