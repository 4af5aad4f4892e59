"""Which samples are drawn along training."""

import numpy as np

from engine.running.pictures import one_of_each


def test_samples_are_drawn_class_by_class() -> None:
    labels = np.array([1, 0, 0, 1, 2, 0])
    assert one_of_each(labels, 6, 3).tolist() == [1, 0, 4]
    assert labels[one_of_each(labels, 6, 6)].tolist() == [0, 0, 1, 1, 2]
    assert len(one_of_each(np.arange(40), 40, 10)) == 10


def test_without_labels_they_stand_in_equal_distances() -> None:
    assert one_of_each(None, 11, 3).tolist() == [0, 5, 10]
    assert one_of_each(None, 2, 10).tolist() == [0, 1]
