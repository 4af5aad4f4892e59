"""Shapes in the signatures of equations are checked while tests run."""

import pytest
import torch
from jaxtyping import TypeCheckError

from engine.nets.ddc import cauchy_schwarz
from engine.nets.student_t import log_assignment, target_distribution


def test_a_wrong_shape_is_refused() -> None:
    with pytest.raises(TypeCheckError):
        target_distribution(torch.ones(3))
    with pytest.raises(TypeCheckError):
        log_assignment(torch.ones(4, 2), torch.ones(3, 5))
    with pytest.raises(TypeCheckError):
        cauchy_schwarz(torch.ones(4, 2), torch.ones(4, 3))


def test_right_shapes_pass() -> None:
    assert log_assignment(torch.ones(4, 2), torch.ones(3, 2)).shape == (4, 3)
