"""Ladders and maps made from scikit-learn's digits by plain numpy, so that the components can be tried
without an engine.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from app.charts import bar_chart, line_chart, matrix_chart, plot, training_chart
from app.components.ladder import Drawing, Place
from app.features import Features
from engine.asking.answers import LadderAnswer

Array = NDArray[Any]


def softmax_of_distances(x: Array, centres: Array, sharpness: float = 90.0) -> Array:
    """A stand-in for a clustering: the closer a centre, the larger its share. x (n, d) -> (n, K)."""
    distances = ((x[:, None] - centres[None]) ** 2).sum(-1) / x.shape[1]
    weights = np.exp(-sharpness * (distances - distances.min(1, keepdims=True)))
    return weights / weights.sum(1, keepdims=True)


def digits() -> tuple[Array, Array, Array]:
    """Images (1797, 64) in [0, 1], labels (1797,) and the mean image of each digit (10, 64)."""
    found = load_digits()
    x, labels = found.data / 16, found.target
    return x, labels, np.stack([x[labels == digit].mean(0) for digit in range(10)])


def enlarged(images: Array, factor: int) -> Array:
    """Images (n, 64) of 8 x 8 as (n, (8 · factor)²), each pixel repeated."""
    return images.reshape(-1, 8, 8).repeat(factor, 1).repeat(factor, 2).reshape(len(images), -1)


def ladder_drawing(
    sample: int = 3,
    levels: int = 65,
    axis: str = "epsilon",
    factor: int = 1,
    reach: float = 0.3,
    groups: bool = True,
) -> Drawing:
    """A ladder that pushes one digit by signed steps towards its second nearest mean image.

    Without `groups`: of an encoder, which sorts into nothing; its objective is the squared move.
    """
    x, labels, centres = digits()
    x, centres = (enlarged(x, factor), enlarged(centres, factor)) if factor > 1 else (x, centres)
    clean, q_clean = x[sample], softmax_of_distances(x[sample][None], centres)[0]
    own, other = (int(group) for group in np.argsort(-q_clean)[:2])
    epsilons = np.linspace(0, reach, levels)
    attacked = np.clip(clean + epsilons[:, None] * np.sign(centres[other] - centres[own]), 0, 1)
    noise = np.clip(clean + epsilons[:, None] * np.random.default_rng(0).choice([-1, 1], clean.size), 0, 1)
    q = softmax_of_distances(attacked, centres)
    axes = np.linalg.svd(x - x.mean(0), full_matrices=False)[2][:2]
    along = {"epsilon": epsilons, "path": np.arange(levels), "lambda": np.linspace(0, 2, levels)}[axis]
    named = tuple(str(digit) for digit in range(10))
    said: dict[str, Any] = {
        "title": f"A {named[own]} becomes a {named[other]}",
        "value": np.square(attacked - clean).sum(1),
        "own_group": None,
        "first_reached": None,
        "epsilon_star": None,
        "noise_reached": None,
        "noise_n": None,
    }
    if groups:
        reached = q.argmax(1) != own
        first = int(reached.argmax()) if reached.any() else None
        closest = [int(np.argmin(((x - centre) ** 2).sum(1))) for centre in centres]
        said |= {
            "own_group": own,
            "group_names": named,
            "first_reached": first,
            "epsilon_star": float(epsilons[first]) - 0.0015 if first else None,
            "noise_reached": 0,
            "noise_n": 20 * (levels - 1),
            "noise_share": np.zeros(levels, np.float32),
            "reached": reached,
            "q": q,
            "q_clean": q_clean,
            "noise_q": softmax_of_distances(noise, centres),
            "medoids": as_bytes(x[closest]),
            "recon": as_bytes(np.clip(q @ centres, 0, 1)),
            "recon_clean": as_bytes(q_clean @ centres),
        }
    else:
        said["noise_value"] = np.square(noise - clean).sum(1) / 8
    answer = LadderAnswer(
        axis=axis,
        levels=tuple(along.tolist()),
        norm="linf",
        epsilon=None,
        sample=sample,
        label=int(labels[sample]),
        label_name=str(labels[sample]),
        data="digits",
        model="made up",
        shape=(1, 8 * factor, 8 * factor),
        protocol=(
            f"Signed steps to another mean image, L∞, {levels} levels up to ε {reach}; digits {8 * factor} x"
            f" {8 * factor}."
        ),
        target=None,
        read_as=None,
        clean=clean,
        delta=(attacked - clean).astype(np.float32),
        linf=np.abs(attacked - clean).max(1),
        l2=np.linalg.norm(attacked - clean, axis=1),
        **said,
    )
    trail = (attacked - x.mean(0)) @ axes.T
    place = Place(
        "Place on the map (PCA of the pixels)",
        (x - x.mean(0)) @ axes.T,
        trail,
        trail[0],
        0.15,
        softmax_of_distances(x, centres).argmax(1) if groups else None,
    )
    return Drawing(answer, place, "cluster" if groups else "", "moves the picture by …")


def table_drawing(sample: int) -> Drawing:
    """The same as a row of a table of 64 features, each from -1 to 3."""
    drawing = ladder_drawing(sample)
    answer = drawing.answer.model_copy(update={"shape": (64,)})
    features = Features.of(64, low=np.full(64, -1.0), span=np.full(64, 4.0))
    return replace(drawing, answer=answer, features=features)


def as_bytes(images: Array) -> Array:
    """Grey levels of images in [0, 1]."""
    return np.rint(images * 255).astype(np.uint8)


def many_points(n: int, clusters: int = 10, seed: int = 0) -> tuple[Array, Array, Array]:
    """n made-up points in blobs: places (n, 2), moved places (n, 2), clusters (n,)."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(clusters, 2)) * 6
    codes = rng.integers(0, clusters, n)
    places = centres[codes] + rng.normal(size=(n, 2)) * rng.uniform(0.5, 1.4, clusters)[codes, None]
    leaving = (rng.random(n) < 0.4)[:, None]
    return (
        places,
        places + rng.normal(size=(n, 2)) * 0.8 + (centres[(codes + 3) % clusters] - centres[codes]) * leaving,
        codes,
    )


def confusion_chart() -> plot.Chart:
    """Labels of the digits against the stand-in clustering."""
    x, labels, centres = digits()
    clusters = softmax_of_distances(x, centres).argmax(1)
    matrix = np.zeros((10, 10), dtype=int)
    np.add.at(matrix, (labels, clusters), 1)
    named = [str(digit) for digit in range(10)]
    return matrix_chart.confusion(
        matrix,
        named,
        named,
        title="Labels against clusters, clean",
        row_title="label",
        column_title="cluster",
        caption="1,797 digits, clusters by the nearest mean image, matched by Hungarian assignment.",
    )


def other_charts() -> dict[str, plot.Chart]:
    """One of each other chart, on made-up numbers."""
    epsilon = np.linspace(0, 0.3, 13)
    acc = 0.9 * np.exp(-8 * epsilon)
    frame = pd.DataFrame(
        {"epsilon": epsilon, "acc": acc, "low": acc - 0.03, "high": acc + 0.03, "noise": 0.9 - 0.1 * epsilon}
    )
    step = np.arange(0, 4000, 20)
    rng = np.random.default_rng(0)
    run = pd.DataFrame(
        {
            "step": step,
            "acc": 0.9 - 0.4 * np.exp(-step / 800),
            "delta_fd": 0.4 * np.sin(step / 300) + rng.normal(0, 0.2, len(step)),
            "delta_fr": 0.3 + rng.normal(0, 0.15, len(step)),
        }
    )
    control = run.assign(delta_fd=run["delta_fd"] * 0.3, delta_fr=run["delta_fr"] * 0.5)
    named = [str(digit) for digit in range(10)]
    return {
        "curves": line_chart.curves(
            frame,
            "epsilon",
            {"acc": "ACC, clean matching", "noise": "ACC under noise"},
            bands={"acc": ("low", "high")},
            controls=["noise"],
            share=True,
            title="Accuracy against ε",
            x_title="ε (L∞, pixels in [0, 1])",
            y_title="ACC",
            caption="PGD-20, leave_cluster, n = 1,000, 95 % intervals.",
        ),
        "training": training_chart.curves(
            run,
            {"delta_fd": "Δ_FD", "delta_fr": "Δ_FR"},
            title="Angles between losses",
            caption="Cosines of encoder gradients on 256 samples; moving average of 10.",
            smooth=10,
            stationary=[(3200, 4000)],
            blocks=[(0, 500), (1000, 1500)],
            controls={"DEC*": control},
            zero=True,
            y_title="cosine",
        ),
        "arms": training_chart.side_by_side({"ADEC": run, "DEC*": control}, "acc", "ACC", smooth=5),
        "difference": matrix_chart.difference(
            rng.integers(-40, 40, (10, 10)) * (rng.random((10, 10)) < 0.3),
            named,
            named,
            title="What the attack moved",
            row_title="label",
            column_title="cluster",
            chosen=(3, -1),
        ),
        "bars": bar_chart.bars(
            ["attack", "noise", "other δ"],
            [0.8, 0.1, 0.2],
            low=[0.75, 0.07, 0.15],
            high=[0.84, 0.14, 0.26],
            controls=["noise", "other δ"],
            share=True,
            title="Flip rate and its controls",
            y_title="flip rate",
            caption="ε 0.1, L∞, n = 1,000, 95 % intervals.",
        ),
    }
