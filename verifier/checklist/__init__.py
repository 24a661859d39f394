"""Checklists: the Markdown a person reads, the binding that says how each line is answered, and the
two as Items.
"""
