"""Where a person's weights of Inception lie, and for which data they are of use."""

import hashlib
from pathlib import Path
from typing import Any

from engine.data import finding
from engine.data.views import Shapes
from engine.errors import DataMissing, SettingsError
from engine.nets.inception import check

WEIGHTS = "inception_v3.safetensors"
"""What the file is called among the data."""


def weights(given: str) -> Path:
    """The file that was given, else the one among the data. Raises DataMissing."""
    path = finding.placed(given) if given else finding.find(WEIGHTS)
    if path is not None and finding.is_file(path):
        return path
    where = given or f"{WEIGHTS} in {' or '.join(str(folder) for folder in finding.folders())}"
    raise DataMissing(
        f"Features of Inception need its weights, which are not shipped; there is no {where}. Put the"
        f" model.safetensors of timm/inception_v3.tf_in1k there, or take the features of the classifier."
    )


def suits(given: str, shapes: Shapes) -> None:
    """Raises SettingsError for data that are no single pictures, DataMissing or DataError for the file."""
    if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][0] not in (1, 3):
        raise SettingsError(
            "attack.features inception are of pictures, one a sample, grey or in colour; these data have"
            f" {', '.join(str(shape) for shape in shapes)}. Take the features of the classifier."
        )
    check(weights(given))


def told(path: Path) -> dict[str, Any]:
    """Which weights they were: the first digits of the file's SHA-256."""
    with path.open("rb") as file:
        return {"inception_weights": hashlib.file_digest(file, "sha256").hexdigest()[:12]}
