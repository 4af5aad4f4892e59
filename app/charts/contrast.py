"""How well letters are read on a coloured ground."""

from collections.abc import Sequence

import numpy as np

Colour = tuple[float, float, float]
"""Red, green and blue, 0 to 255."""
Stops = Sequence[tuple[float, tuple[float, float, float, float]]]
"""A scale of colours: a share from 0 to 1, and red, green, blue (0 to 255) with alpha (0 to 1) there."""

ENOUGH = 4.5
"""The contrast of small letters that WCAG 2.2 asks for at level AA."""
BLACK, WHITE = "#000000", "#FFFFFF"


def ratio(one: Colour, other: Colour) -> float:
    """The contrast of two colours, 1 to 21. Source: WCAG 2.2, "contrast ratio"."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: Colour) -> float:
    """The relative luminance of a colour, 0 to 1. Source: WCAG 2.2, "relative luminance"."""
    share = np.asarray(colour) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def ground(scale: Stops, share: float, page: Colour) -> Colour:
    """What is seen of a scale at a share, on a page of a colour."""
    places = [place for place, _ in scale]
    *colour, alpha = (
        np.interp(share, places, part) for part in zip(*(rgba for _, rgba in scale), strict=True)
    )
    red, green, blue = (
        float(alpha * own + (1 - alpha) * below) for own, below in zip(colour, page, strict=True)
    )
    return red, green, blue


def letters(below: Colour, ink: str) -> str:
    """The colour of letters on a ground: the ink where it is read well enough, else black or white."""
    if ratio(rgb(ink), below) >= ENOUGH:
        return ink
    return max((BLACK, WHITE), key=lambda colour: ratio(rgb(colour), below))


def rgb(colour: str) -> Colour:
    """A colour written as #rrggbb."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue
