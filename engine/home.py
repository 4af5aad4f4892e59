"""Where Feint keeps what it makes: runs, answers, fetched data."""

import os
from pathlib import Path

from platformdirs import user_data_dir


def home() -> Path:
    """The folder `FEINT_HOME`, by default the user's data folder; it may not exist yet."""
    return (
        Path(os.environ.get("FEINT_HOME") or user_data_dir("feint", appauthor=False)).expanduser().resolve()
    )
