"""What questions consist of: the attack, what is wanted, the axis of a ladder, an own picture. Torch-free."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import SettingsError
from engine.settings import sentence

Norm = Literal["linf", "l2"]
TOP: dict[str, float] = {"linf": 0.3, "l2": 3.0}
"""The largest ε of a ladder unless a person asks for another."""
LAMBDA_TOP = 200.0
"""The largest λ of a ladder over λ."""


class Part(BaseModel):
    """The base of questions and of what they consist of. What is put wrongly is refused in one sentence."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise SettingsError(f"A question is put wrongly: {sentence(type(self), error)}") from None


class AttackChoice(Part):
    """An attack: its registered name, the settings that differ from its defaults, and, where it must be
    fitted first, the runs in which it was fitted.
    """

    name: str = "pgd"
    settings: dict[str, Any] = {}
    fitted: tuple[str, ...] = ()


class ObjectiveChoice(Part):
    """What is wanted: an objective, minus `lam` times the change of the reconstruction."""

    name: str = "leave_cluster"
    settings: dict[str, Any] = {}
    lam: float = Field(default=0.0, ge=0)


class Axis(Part):
    """What the levels of a ladder are: sizes of ε from 0 to `top`, the path of one attack at `epsilon`,
    weights λ from 0 to `top` at `epsilon`, or numbers K of compressed samples at `epsilon`.
    """

    name: Literal["epsilon", "path", "lambda", "compressed"] = "epsilon"
    top: float = Field(default=TOP["linf"], ge=0)
    levels: int = Field(default=65, ge=1, le=1025)
    epsilon: float | None = None

    @classmethod
    def of_epsilon(cls, norm: Norm = "linf", reach: float = 0.0, levels: int = 65) -> Self:
        """Over ε, up to the usual size of the norm, or up to `reach` where that is larger."""
        return cls(top=max(TOP[norm], reach), levels=levels)

    @classmethod
    def of_path(cls, epsilon: float) -> Self:
        """Over the steps of one attack."""
        return cls(name="path", epsilon=epsilon)

    @classmethod
    def of_compressed(cls, epsilon: float) -> Self:
        """Over the number of compressed samples K, as the attack varies it."""
        return cls(name="compressed", epsilon=epsilon)

    @classmethod
    def of_lambda(cls, epsilon: float, top: float = LAMBDA_TOP, levels: int = 41) -> Self:
        """Over λ."""
        return cls(name="lambda", top=top, levels=levels, epsilon=epsilon)


class OwnPicture(Part):
    """A person's own picture in place of a sample of the data: the key under which it is kept as the model
    sees it (`engine.store.pictures`), and its label, where the person has said it.
    """

    picture: str
    label: int | None = None
    near: Literal["trained on"] = "trained on"
    """Which samples its nearest are sought among; in the key, for answers are kept that sought among all."""
