"""Where Feint keeps what it makes: runs, answers, fetched data."""

import os
from pathlib import Path

from platformdirs import user_data_dir


def home() -> Path:
    """The folder `FEINT_HOME`, by default the user's data folder; it may not exist yet."""
    return (
        Path(os.environ.get("FEINT_HOME") or user_data_dir("feint", appauthor=False)).expanduser().resolve()
    )


def make_home(at: Path | None = None) -> Path:
    """The same folder, or `at`, made where it does not exist yet: for its owner's eyes alone."""
    folder = at or home()
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder
