"""What ships in assets/zoo, by name, and how it is made: from what methods declare of the data they fit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, product
from typing import Any

from engine import registry
from engine.models.protocols import ModelSettings

WHOLE = ("digits", "noisy_digits")
"""Data that come with Feint: every model that fits them ships,"""
LEFT_OUT = (
    "acl",
    "dynacl",
    "dynacl_pp",
    "adversarial_probe",
    "adversarial_classifier",
    "probe_with_centroids",
)
"""but those, for which the zoo has no room: they are trained in minutes."""
CHOSEN = {
    "mnist_test": (
        "acai",
        "ae_kmeans",
        "dec_star",
        "idec_star",
        "adec",
        "conv_ae",
        "dense_ae",
        "sparse_ae",
        "plain_conv_ae",
        "adversarial_ae",
        "simclr",
        "spherical_k_means",
        "ncp_acl",
        "deacl",
    ),
    "noisy_mnist": ("comvc", "ar_dmvc_am"),
    "cifar10_jpeg_mini": ("simclr", "spherical_k_means", "ncp_acl"),
}
"""Larger data: the models that ship."""
GENERATORS = {"strong": None, "as_released": "as_released"}
"""What stands behind the dot of a fitted generator's name -> its preset."""
FITTED_AT = 0.3
"""ε at which generators are fitted."""
OTHER_NU = {"nu1": 0.001, "nu3": 0.003, "nu5": 0.005}
"""What stands behind the dot of an attack on the embedding with another ν -> that ν."""
OF_OTHER_NU = "digits/conv_ae"
"""The model that ships with such attacks."""
LOOKED_AT = ("mnist_test", "digits")
"""Data on which pages begin: what they show first of their models ships, so that looking needs no data."""
INSPECTED = "adec"
"""The model whose attacked samples ship."""
DRAWN = ("mnist_test/adec", "digits/adec")
"""Models that ship with what their training drew."""
SWEPT = ("adec", "idec_star", "dec_star", "acai", "ae_kmeans")
"""Models whose sweeps ship."""
COPYING = ("dense_ae", "sparse_ae", "plain_conv_ae", "adversarial_ae")
"""Autoencoders that ship with unsupervised adversarial examples of their training rows, and trained anew
with them.
"""
MISTAKEN = "classifier"
"""The classifier that ships with the most similar pictures that it mistakes."""
CENTROIDS = 20
"""Clusters of encoders with centroids: more than the data have classes."""
PROBED = ("simclr", "ncp_acl", "deacl")
"""Contrastive encoders that ship with a linear probe."""
LAMBDAS = (0.0, 10.0, 20.0, 40.0, 60.0, 100.0, 150.0)
"""λ of the sweeps along it."""


@dataclass(frozen=True)
class Entry:
    """How an entry is made: a model that is trained, with the images of the entry `appended` where there is
    one; or what `action` does to the entry `on`, where an attack is fitted anew, or is that of the entry
    `fitted` as it is.
    """

    name: str
    preset: str | None
    changes: Mapping[str, Any] = field(default_factory=dict)
    on: str = ""
    fitted: str = ""
    action: str = "attack"
    appended: str = ""


def entries() -> dict[str, Entry]:
    """Every entry by name, in an order in which each finds what it builds on."""
    made = (_models(), _generators(), _defended(), _other_nu(), _looked_at(), _dissimilar(), _probes())
    return dict(chain(*made))


def begun_from() -> dict[str, str]:
    """Model -> the defence that begins from its network."""
    defences = {name: registry.find("model", name) for name in registry.names("model")}
    return {base: name for name, defence in defences.items() for base in defence.begins_from}


def _models() -> Iterator[tuple[str, Entry]]:
    for data in (*WHOLE, *CHOSEN):
        for name in CHOSEN.get(data) or registry.names("model"):
            model = registry.find("model", name)
            if data in model.fits and not model.begins_from and name not in LEFT_OUT:
                yield f"{data}/{name}", Entry(name, model.fits[data], _clusters(model))


def _generators() -> Iterator[tuple[str, Entry]]:
    """Fitted on the half that the model was not trained on."""
    changes = {"objective": "mv_disrupt", "epsilon": FITTED_AT, "half": "second", "n": None}
    for (on, entry), (kind, preset) in product(_models(), GENERATORS.items()):
        if on.split("/")[0] in WHOLE and "fuses" in registry.find("model", entry.name).abilities:
            yield f"{on}.{kind}", Entry("mv_gan", preset, changes, on=on)


def _defended() -> Iterator[tuple[str, Entry]]:
    """Of a network that a defence begins from: the attack on its embedding, the defence, the same attack on
    the defended network, and one that is fitted anew.
    """
    defences = begun_from()
    for base, entry in _models():
        if entry.name not in defences:
            continue
        data, defended = base.split("/")[0], f"{base}.defended"
        defence = defences[entry.name]
        preset = registry.find("model", defence).fits[data]
        yield f"{base}.attack", _moving(data, base)
        yield defended, Entry(defence, preset, {"module": entry.name})
        yield f"{defended}.same", _moving(data, defended, fitted=f"{base}.attack")
        yield f"{defended}.reattack", _moving(data, defended)


def _other_nu() -> Iterator[tuple[str, Entry]]:
    for (name, nu), on in product(OTHER_NU.items(), (OF_OTHER_NU, f"{OF_OTHER_NU}.defended")):
        yield f"{on}.{name}", _moving(on.split("/")[0], on, {"objective_settings.nu": nu})


def _looked_at() -> Iterator[tuple[str, Entry]]:
    """What Inspect and Curves show before anybody has chosen: attacked samples, every cluster sent to every
    other, and sweeps along ε and λ; with the choices that these pages begin with.
    """
    wanted = {"objective": "leave_cluster", "norm": "linf", "n": 500}
    for data in LOOKED_AT:
        on = f"{data}/{INSPECTED}"
        yield f"{on}.pgd", Entry("pgd", None, wanted | {"epsilon": 0.1}, on=on)
        yield f"{on}.pairs", Entry("pgd", None, {"norm": "linf", "n": 100}, on=on, action="pairs")
        for model in SWEPT:
            on, seeds = f"{data}/{model}", {"attack_seeds": [0, 1, 2]}
            yield f"{on}.over_epsilon", Entry("pgd", None, wanted | seeds, on=on, action="sweep")
            along = {"epsilons": [0.1], "lams": list(LAMBDAS)}
            yield f"{on}.over_lambda", Entry("pgd", None, wanted | seeds | along, on=on, action="sweep")


def _dissimilar() -> Iterator[tuple[str, Entry]]:
    """What the page about unsupervised adversarial examples shows: 200 of them for each autoencoder, the same
    autoencoder with them appended to its training rows, and the opposite for a classifier.
    """
    wanted = {"norm": "linf", "epsilon": 1.0, "n": 200}
    copied = wanted | {"objective": "keep_reconstruction", "half": "train"}
    for data, name in product(LOOKED_AT, COPYING):
        on = f"{data}/{name}"
        yield f"{on}.uae", Entry("minmax", "visible", copied, on=on)
        yield f"{on}.with_uae", Entry(name, registry.find("model", name).fits[data], appended=f"{on}.uae")
    mistaken = wanted | {"objective": "misclassify", "direction": 1}
    yield f"digits/{MISTAKEN}.mistaken", Entry("minmax", "visible", mistaken, on=f"digits/{MISTAKEN}")


def _clusters(model: type[ModelSettings]) -> dict[str, Any]:
    """How many centroids an entry has, and the encoder that it begins from."""
    fields = model.model_fields
    begins = registry.find("model", fields["encoder"].default) if "encoder_settings" in fields else None
    its = {"encoder_clusters": CENTROIDS} if begins and "compares" in begins.abilities else {}
    compares = "compares" in model.abilities and not model.supervised  # as a probe it has as many as classes
    return its | ({"clusters": CENTROIDS} if compares else {})


def _probes() -> Iterator[tuple[str, Entry]]:
    """A linear layer on contrastive encoders, and one that saw attacked samples."""
    for data, encoder in product(LOOKED_AT, PROBED):
        yield f"{data}/{encoder}.probe", Entry("linear_probe", None, _reading(encoder, data))
    on, preset = "digits/ncp_acl", registry.find("model", "adversarial_probe").fits["digits"]
    in_colour = "cifar10_jpeg_mini"
    yield f"{in_colour}/ncp_acl.probe", Entry("linear_probe", None, _reading("ncp_acl", in_colour))
    yield f"{on}.adversarial_probe", Entry("adversarial_probe", preset, _reading("ncp_acl", "digits"))


def _reading(encoder: str, data: str) -> dict[str, Any]:
    """What the settings of a probe say of the entry that it reads."""
    model = registry.find("model", encoder)
    clusters = {"encoder_clusters": CENTROIDS} if "compares" in model.abilities else {}
    return {"encoder": encoder, "encoder_settings": model.preset(model.fits[data]).values()} | clusters


def _moving(data: str, on: str, changes: Mapping[str, Any] | None = None, fitted: str = "") -> Entry:
    """An attack on the embedding of an entry."""
    preset = registry.find("attack", "latent_attack").fits[data]
    wanted = {"objective": "flip_and_keep", "n": 1000}
    return Entry("latent_attack", preset, wanted | dict(changes or {}), on=on, fitted=fitted)
