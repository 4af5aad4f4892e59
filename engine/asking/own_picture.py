"""A person's own picture in the place of a sample of the data."""

from typing import Any

import torch
from torch import Tensor

from engine.asking.questions import OWN, OwnPicture
from engine.asking.victims import NEIGHBOURS, Victim, label_facts, model_facts, near_facts
from engine.data.views import Views
from engine.errors import DataError, SettingsError
from engine.models.outputs import Outputs
from engine.store import pictures

TITLE = "Your picture"


def own_views(victim: Victim, own: OwnPicture) -> Views:
    """The picture as one sample on the model's device. Raises DataError where it is not kept any more, or has
    another shape than the model's samples.
    """
    kept, shapes = pictures.find(own.picture), victim.data.views.shapes
    if kept is None:
        raise DataError(
            f"The picture {own.picture} is not kept on this machine; draw it again, or bring it again."
        )
    image = torch.from_numpy(kept if kept.ndim == 3 else kept[..., None]).permute(2, 0, 1)
    if len(shapes) != 1 or tuple(image.shape) != tuple(shapes[0]):
        wanted = " and ".join("x".join(map(str, shape)) for shape in shapes)
        raise DataError(
            f"The picture {own.picture} is {'x'.join(map(str, image.shape))}, and this model sees {wanted}."
            " Bring it again for this model."
        )
    return Views([image[None].float() / 255]).to(victim.device)


def own_labels(victim: Victim, own: OwnPicture) -> Tensor | None:
    """The label that the person gave it, (1,); None where none. Raises SettingsError for one that is none."""
    count = len(victim.data.class_names)
    if own.label is None:
        return None
    if not 0 <= own.label < count:
        raise SettingsError(f"The label of a picture must be from 0 to {count - 1}; got {own.label}.")
    return torch.tensor([own.label], device=victim.device)


def own_facts(victim: Victim, own: OwnPicture, before: Outputs, z: Tensor | None) -> dict[str, Any]:
    """What a ladder says of the picture, and where its embeddings z (levels, m) lie: those that are near it
    are samples that the model was trained on.
    """
    facts = model_facts(victim) | label_facts(victim, own.label)
    facts |= {"sample": OWN, "title": TITLE, "own_group": None}
    if before.groups is not None:
        facts["own_group"] = int(before.groups[0].argmax())
    if victim.z is None or z is None or before.z is None:
        return facts
    clean, among = victim.compared(before.z), victim.trained_on
    near = victim.nearest(clean, NEIGHBOURS, among)[1][0]
    return facts | near_facts(victim, clean, victim.compared(z), near, among)
