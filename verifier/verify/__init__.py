"""Looks at hosts and answers every Assignment of a plan. It never changes a host and never opens a
gate.
"""
