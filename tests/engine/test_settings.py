"""Settings: what is stored of them, and that a field which comes later changes no key."""

from typing import ClassVar

from engine.settings import Settings, knob
from engine.store.spec import Spec


class Before(Settings):
    """A method as it was when runs were made with it."""

    name: ClassVar[str] = "method"
    rate: float = knob(0.1, "Rate")


class Part(Settings):
    """A nested part with a field that came later."""

    width: int = knob(3, "Width")
    slope: float = knob(0.0, "Slope", added_later=True)


class After(Before):
    """The same method with fields that came later, one of them nested."""

    warm: bool = knob(False, "Warm", added_later=True)
    part: Part = knob(Part(), "Part", added_later=True)


def _spec(settings: Settings) -> Spec:
    return Spec(action="train", name="method", settings=settings.values(), data="d", fingerprint="f")


def test_a_field_added_later_changes_no_key_while_it_is_at_its_default() -> None:
    old = _spec(Before(rate=0.2))
    assert _spec(After(rate=0.2)).key == old.key and After(rate=0.2).values() == {"rate": 0.2}
    assert After(**old.settings) == After(rate=0.2)


def test_a_field_added_later_counts_once_it_is_changed() -> None:
    assert After(warm=True).values() == {"rate": 0.1, "warm": True}
    assert After(part=Part(slope=1.0)).values() == {"rate": 0.1, "part": {"width": 3, "slope": 1.0}}
    assert After(part=Part(width=4)).values() == {"rate": 0.1, "part": {"width": 4}}
    assert After(**After(warm=True).values()) == After(warm=True)


def test_every_field_is_there_for_a_form() -> None:
    assert After().all_values() == {"rate": 0.1, "warm": False, "part": {"width": 3, "slope": 0.0}}
    assert After.model_json_schema()["properties"]["warm"]["added_later"] is True


class Counting(Settings):
    """A method that once said "all" by a large number."""

    n: int | None = knob(10, "Samples", ge=1, stored_none=1_000_000)


def test_none_is_stored_as_the_number_that_once_meant_it() -> None:
    assert Counting(n=None).values() == {"n": 1_000_000} and Counting(n=None).all_values() == {"n": None}
    assert Counting(n=1_000_000).n is None and Counting(**Counting(n=None).values()) == Counting(n=None)
    assert Counting(n=7).values() == {"n": 7}
