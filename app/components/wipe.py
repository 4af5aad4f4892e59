"""The wipe: a picture before and after, wiped over one another, side by side, or blinking."""

from typing import Any, Literal

from numpy.typing import NDArray

from app import components, gallery

Mode = Literal["wipe", "side", "blink"]

_mount = components.register("wipe")


def wipe(payload: dict[str, Any], *, key: str) -> None:
    """Draw a pair of pictures; which way of looking was chosen stays in the browser and costs no rerun."""
    _mount(data=payload, key=key)


def wipe_payload(
    before: NDArray[Any],
    after: NDArray[Any],
    *,
    before_name: str,
    after_name: str,
    title: str,
    caption: str,
    mode: Mode = "wipe",
) -> dict[str, Any]:
    """What the browser needs of two images of one shape, [h, w], [1, h, w] or [3, h, w], float in [0, 1]."""
    first = gallery.pixels(before)
    return {
        "before": {"src": gallery.data_uri(gallery.to_png(before)), "name": before_name},
        "after": {"src": gallery.data_uri(gallery.to_png(after)), "name": after_name},
        "size": [first.shape[1], first.shape[0]],
        "title": title,
        "caption": caption,
        "mode": mode,
    }
