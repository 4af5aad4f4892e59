"""What a run is: an action with its settings, data, seed and the runs it builds on. Their hash is its key.

*How* it is computed (device, precision, threads, versions) is recorded beside the run, not in the key.
"""

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

FORMAT = 1


class Spec(BaseModel):
    """The *what* of a run. `builds_on` maps a role ("base", "model") to the key of a finished run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: str
    name: str = ""
    """The registered name of what is trained or launched ("adec", "pgd"), for lists and titles."""
    settings: dict[str, Any]
    data: str
    fingerprint: str
    seed: int = 0
    builds_on: dict[str, str] = Field(default_factory=dict)
    version: int = 1
    format: int = FORMAT

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits: the hash of everything but the data's display name."""
        what = self.model_dump(mode="json", exclude={"data"})
        return hashlib.sha256(json.dumps(what, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[
            :16
        ]
