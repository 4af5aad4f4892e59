"""Benchmarks: ratios within one run. `engine` comes first, so that threads wait here as they do in
the app.
"""

import engine  # noqa: F401
