"""The Streamlit shell: all that pages share; no mathematics, no torch."""

import sys

# Said here, before any file that an older Python could not even read.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "Feint needs Python 3.11 or newer, and this is Python {}.{}: "
        "install one from python.org and run the same command with it.".format(*sys.version_info)
    )
