"""A Markdown deployment checklist, executed: plan, deploy, verify every line on every host, decide."""

__version__ = "0.1.0"
