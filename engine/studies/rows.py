"""Rows of studies as they are read from disk, those of older versions too. Needs no torch."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.events import Row

_GENERATORS = {
    "clean": ("", "clean"),
    "PGD-20": ("", "pgd"),
    "generator, strong": ("", "generator_strong"),
    "generator, as released": ("", "generator_released"),
    "attacked": ("", "generator_released"),
}
_ARMS = {
    "base": "base",
    "defended": "defended",
    "control, equal steps": "control",
    "consistency": "consistency",
    "alternating": "alternating",
}
_DONE_TO_THEM = {"clean": "clean", "same attack": "same_attack", "re-attacked": "fresh_attack"}
_DEFENDED = {
    f"{old}, {done}": (arm, treatment)
    for old, arm in _ARMS.items()
    for done, treatment in _DONE_TO_THEM.items()
}
OLD_STATES: dict[str, dict[str, tuple[str, str]]] = {
    "ar_dmvc.table1": _GENERATORS,
    "ar_dmvc.table3": _GENERATORS,
    "ar_dmvc.lambda_gamma": _GENERATORS,
    "ar_dmvc.epochs": _GENERATORS,
    "ar_dmvc.confusion": _GENERATORS,
    "ar_dmvc.transfer": _GENERATORS,
    "robust.table1": {"clean": ("base", "clean"), "attacked": ("base", "fresh_attack")},
    "robust.table2": _DEFENDED | {"clean": ("defended", "clean"), "attacked": ("defended", "same_attack")},
    "robust.table3": _DEFENDED | {"attacked": ("defended", "fresh_attack")},
    "robust.figure1": {
        "affine": ("base", "affine"),
        "ReLU": ("base", "relu"),
        "per sample": ("base", "per_sample"),
    },
    "robust.drop_against_nu": {old: (arm, "fresh_attack") for old, arm in _ARMS.items()},
    "robust.pixels": {old: (arm, "pgd") for old, arm in _ARMS.items()},
}
"""Study -> what its rows once said in words (`about["state"]`) -> arm and treatment."""


def read(study: str, rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The rows of a study's result, whichever version of Feint wrote them."""
    return [Row.model_validate(upgraded(study, row)) for row in rows]


def upgraded(study: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with `arm` and `treatment` in fields of their own: earlier versions wrote them, in words, into
    `about["state"]`.
    """
    about, states = dict(row["about"]), OLD_STATES.get(study, {})
    if "treatment" in row or not states:
        return dict(row)
    old = about.pop("state", "generator, as released")  # table 3's published rows did not say it
    arm, treatment = states[old]
    if study in ("ar_dmvc.table1", "ar_dmvc.table3") and "epochs" in about:
        arm = "equal_epochs"
    return {**row, "arm": arm, "treatment": treatment, "about": about}
