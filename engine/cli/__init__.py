"""The command line: what is typed, as actions on runs; one declaration (the settings classes) gives every
flag.
"""

from engine.cli.commands import main

__all__ = ["main"]
