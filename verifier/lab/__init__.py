"""Throw-away hosts on this machine's own Docker engine, to try deployments on. Knows containers,
images and keys; knows nothing about checklists, plans or verdicts.
"""
