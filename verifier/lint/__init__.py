"""A Markdown checklist held against reality before any host is touched: what the document says of
itself, and what it says of the project beside it. Reads files only; executes nothing of either.
"""
