"""The command line: what is typed, as actions on runs; the settings classes declare every flag."""

from engine.cli.commands import main

__all__ = ["main"]
