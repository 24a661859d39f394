"""The command line: parse, call one stage, show its value, return a code. The only place an exit
code leaves from, and the only one below which nothing reads the environment.
"""

from verifier.cli.app import main

__all__ = ["main"]
