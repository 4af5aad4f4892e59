"""The checks: `python3 -m tests`, all of them: `python3 -m tests --all`."""
