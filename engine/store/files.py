"""Small files that are always whole: strict JSON under a temporary name, then renamed."""

import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import RunBroken
from engine.home import writing


def write_json(file: Path, values: Mapping[str, Any]) -> None:
    """Strict JSON, written under a temporary name and renamed. Raises DiskError where the disk refuses it."""
    partial = file.with_name(f".{file.name}.{os.getpid()}.{uuid.uuid4().hex[:6]}")
    text = json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False)
    with writing(file.parent):
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(file)
        except OSError:
            partial.unlink(missing_ok=True)
            raise


def read_json(file: Path) -> dict[str, Any]:
    """The values in `file`, `{}` where it is not there. Raises RunBroken where it holds no JSON object."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ValueError, RecursionError, OSError):
        raise RunBroken(
            f"{file.name} in {file.parent} must be JSON that Feint wrote; it is damaged. Delete the run and"
            " start it again."
        ) from None
    if not isinstance(values, dict):
        raise RunBroken(
            f"{file.name} in {file.parent} must hold one JSON object. Delete the run and start it again."
        )
    return values
