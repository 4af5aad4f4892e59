"""Flips and rotations: mirrored exactly, turned about the middle, each sample by its own draws."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engine.attacks.budget import Budget
from engine.attacks.flip_rotate import FlipRotate
from engine.attacks.protocols import answer
from engine.errors import SettingsError
from engine.objectives.protocols import Objective

SHAPE = (2, 5, 8)
OBJECTIVE = Objective(lambda flat: flat.sum(1), shapes=(SHAPE,))


def pictures(n: int) -> Tensor:
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(0))


def found(attack: FlipRotate, images: Tensor) -> Tensor:
    rng = torch.Generator().manual_seed(3)
    moved = answer(attack.perturb(images.flatten(1), OBJECTIVE, Budget("linf", 1.0), rng)).x
    return moved.unflatten(1, SHAPE)


def test_without_a_turn_each_picture_is_mirrored_or_not_either_way() -> None:
    images = pictures(200)
    moved, counts = found(FlipRotate(angle=0), images), []
    for axes in ((), (2,), (3,), (2, 3)):
        same = (moved - images.flip(axes)).abs().flatten(1).amax(1) < 1e-5
        counts.append(int(same.sum()))
    assert sum(counts) == 200 and min(counts) > 25


@pytest.mark.parametrize("aspect", [(6, 6), (4, 8)])
def test_a_turn_is_about_the_middle(aspect: tuple[int, int]) -> None:
    """Half a turn is both flips; of a square a quarter is a quarter."""
    images = torch.rand(1, 1, *aspect)
    unflipped = torch.tensor([[0.9, 0.9, 1.0]])
    half = FlipRotate(angle=180)._turned(images, unflipped)
    torch.testing.assert_close(half, images.flip(2, 3), rtol=0, atol=1e-4)
    if aspect[0] == aspect[1]:
        quarter = FlipRotate(angle=90)._turned(images, unflipped)
        torch.testing.assert_close(quarter, images.rot90(1, (2, 3)), rtol=0, atol=1e-4)
    small = FlipRotate(angle=10)._turned(images, unflipped)
    assert 0.01 < float((small - images).abs().mean()) < 0.3


def test_draws_belong_to_a_sample_and_noise_comes_on_top() -> None:
    images = pictures(20)
    moved, noisy = found(FlipRotate(), images), found(FlipRotate(sigma=0.05), images)
    torch.testing.assert_close(found(FlipRotate(), images[7:8])[0], moved[7])
    inside = (noisy > 0) & (noisy < 1)
    assert float((noisy - moved)[inside].std()) == pytest.approx(0.05, rel=0.1)


def test_rows_of_a_table_have_nothing_to_mirror() -> None:
    flat = replace(OBJECTIVE, shapes=((80,),))
    with pytest.raises(SettingsError, match="rows of numbers. Take gaussian_noise"):
        answer(FlipRotate().perturb(pictures(2).flatten(1), flat, Budget("linf", 1.0), torch.Generator()))
