"""What the components send to the browser and read from it; how they look and feel is tried in
tests/browser.
"""

import base64
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from app import components, gallery
from app.charts import palette
from app.components import ladder as ladders
from app.components import map as maps
from app.components.ladder import Drawing
from app.components.standalone import standalone_html
from app.components.wipe import wipe_payload
from tests.browser.harness import samples

ROOT = Path(__file__).resolve().parents[3]


def unpacked(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=dtype)


def changed(drawing: Drawing, **fields: Any) -> Drawing:
    """The same drawing with other fields in its answer."""
    return replace(drawing, answer=drawing.answer.model_copy(update=fields))


def test_a_ladder_keeps_its_images_to_half_a_grey_level_and_delta_to_a_hundredth() -> None:
    drawing = samples.ladder_drawing(9)
    answer, payload = drawing.answer, ladders.ladder_payload(drawing)
    clean = unpacked(payload["clean"], "u1") / 255
    delta = unpacked(payload["delta"], "i1").reshape(65, -1) * np.array(payload["delta_scale"])[:, None]
    assert np.abs(clean - answer.clean).max() <= 0.5 / 255 + 1e-12
    assert (np.abs(delta - answer.delta).max(1) <= np.abs(answer.delta).max(1) / 254 + 1e-9).all()
    assert np.allclose(unpacked(payload["q"], "f4").reshape(65, 10), answer.q, atol=1e-6)
    assert len(json.dumps(payload)) < 200_000


def test_a_ladder_starts_where_it_first_succeeds_or_at_its_end() -> None:
    drawing = samples.ladder_drawing(9)
    assert ladders.ladder_payload(drawing)["start"] == drawing.answer.first_reached
    never = changed(drawing, first_reached=None, epsilon_star=None)
    assert ladders.ladder_payload(never)["start"] == 64


def test_a_ladder_lives_without_what_is_optional() -> None:
    bare = replace(samples.ladder_drawing(9, groups=False), place=None, grouping="")
    payload = ladders.ladder_payload(bare)
    assert not {"recon", "xy", "map_xy", "q", "noise_q", "medoids"} & payload.keys()
    assert payload["group_names"] == [] and payload["reached"] is None and len(payload["value"]) == 65
    json.dumps(payload, allow_nan=False)


def test_a_vector_is_a_strip() -> None:
    drawing = changed(samples.ladder_drawing(9), shape=(64,))
    assert ladders.ladder_payload(drawing)["shape"] == [1, 1, 64]


def test_several_views_stand_below_one_another_with_rows_between() -> None:
    drawing = changed(samples.ladder_drawing(9), views=2)
    payload = ladders.ladder_payload(drawing)
    assert payload["shape"] == [1, 17, 4] and payload["gaps"] == [8]
    tall = unpacked(payload["clean"], "u1").reshape(17, 4)
    wide = np.rint(drawing.answer.clean * 255).reshape(8, 8)
    assert (tall[:8] == wide[:, :4]).all() and (tall[9:] == wide[:, 4:]).all() and not tall[8].any()


def test_the_place_of_a_ladder_is_that_of_the_drawing() -> None:
    drawing = samples.ladder_drawing(9)
    payload = ladders.ladder_payload(drawing)
    low, high = np.array(payload["map_box"]).reshape(2, 2)
    places = low + unpacked(payload["map_xy"], "<u2").reshape(-1, 2) / 65535 * (high - low)
    assert drawing.place is not None
    assert np.abs(places - drawing.place.points).max() < 1e-4 * (high - low).max()
    assert payload["xy_clean"] == pytest.approx(drawing.place.trail[0].tolist(), abs=1e-6)


def test_who_is_near_and_both_centroids_go_with_the_ladder() -> None:
    drawing, images = samples.ladder_drawing(9), np.arange(3 * 64, dtype=np.uint8).reshape(3, 64)
    assert drawing.place is not None
    near = ladders.Near(images, np.array([0, 1]), np.tile([1, 2], (65, 1)))
    marks = [(4, np.array([90.0, -90.0])), (7, np.array([0.0, 0.0]))]
    payload = ladders.ladder_payload(replace(drawing, near=near, place=replace(drawing.place, marks=marks)))
    assert (unpacked(payload["near"]["images"], "u1") == images.ravel()).all()
    assert payload["near"]["clean"] == [0, 1] and payload["near"]["levels"][64] == [1, 2]
    assert payload["map_marks"] == [[4, 90.0, -90.0], [7, 0.0, 0.0]]
    assert payload["map_box"][1] == -90 and payload["map_box"][2] == 90, "the map holds them all"
    assert ladders.ladder_payload(drawing)["near"] is None


def test_two_ladders_are_told_apart_and_one_is_recognised() -> None:
    first, second = (
        ladders.ladder_payload(samples.ladder_drawing(9)),
        ladders.ladder_payload(samples.ladder_drawing(8)),
    )
    assert first["id"] != second["id"]
    assert first["id"] == ladders.ladder_payload(samples.ladder_drawing(9))["id"]


@pytest.mark.parametrize(
    ("sizes", "flip", "expected"),
    [
        ([0, 0.1], None, 10),
        ([0, 0.05, 0.3], 1, 10),
        ([0, 0.2, 0.3], 1, 3),
        ([0, 8 / 255], None, 30),
        ([0, 0], None, 1),
        ([0, 5.0], None, 0.2),
    ],
)
def test_the_gain_is_round_and_full_at_twice_the_flip(
    sizes: list[float], flip: int | None, expected: float
) -> None:
    assert ladders.gain(np.array(sizes)[:, None] * np.array([1.0, -1.0]), flip) == pytest.approx(expected)


@given(
    some.integers(1, 3000).flatmap(lambda n: some.tuples(some.just(n), some.sets(some.integers(0, n - 1))))
)
def test_a_selection_comes_back_as_it_went(drawn: tuple[int, set[int]]) -> None:
    n, chosen = drawn
    positions = np.array(sorted(chosen), dtype=np.int64)
    assert maps.decode(maps.encode(positions, n), n).tolist() == positions.tolist()


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 1.0])
def test_no_selection_of_70000_points_is_larger_than_12_kb(share: float) -> None:
    chosen = np.flatnonzero(np.random.default_rng(0).random(70_000) < share)
    assert len(maps.encode(chosen, 70_000)) <= 12_000


def test_the_shorter_spelling_of_a_selection_is_taken() -> None:
    assert maps.encode(np.array([5, 900]), 1000).startswith("d:")
    assert maps.encode(np.arange(0, 1000, 2), 1000).startswith("b:")


def test_a_map_speaks_in_sample_ids() -> None:
    xy, codes, ids = (
        np.random.default_rng(0).normal(size=(50, 2)),
        np.arange(50) % 3,
        np.arange(50) * 7 + 1000,
    )
    payload = maps.map_payload(
        maps.MapDrawing(
            xy=xy,
            colour=maps.Classes("cluster", codes, ["a", "b", "c"]),
            title="t",
            caption="c",
            ids=ids,
            selected=ids[[3, 9]],
            focus=int(ids[4]),
        )
    )
    assert maps.selected_ids(payload, payload["selection"]).tolist() == [1021, 1063]
    assert maps.selected_ids(payload, None) is None
    assert payload["focus"] == 4
    json.dumps({name: value for name, value in payload.items() if name != "_ids"}, allow_nan=False)


def test_places_of_a_map_are_kept_to_a_sixty_thousandth_and_recolouring_keeps_them() -> None:
    xy = np.random.default_rng(0).normal(size=(500, 2))
    payload = maps.map_payload(
        maps.MapDrawing(
            xy=xy,
            colour=maps.Classes("cluster", np.zeros(500, int), ["a"]),
            title="t",
            caption="c",
            xy_attacked=xy + 1,
        )
    )
    low, span = np.minimum(xy, xy + 1).min(0), np.array(payload["extent"])
    assert (
        np.abs(low + unpacked(payload["xy"], "<u2").reshape(-1, 2) / 65535 * span - xy).max()
        < span.max() / 60_000
    )
    other = maps.map_payload(
        maps.MapDrawing(
            xy=xy, colour=maps.Values("margin", xy[:, 0]), title="t", caption="c", xy_attacked=xy + 1
        )
    )
    assert other["places"] == payload["places"]
    assert other["colour"] != payload["colour"]


def test_marks_lie_on_the_map_and_those_that_matter_are_named() -> None:
    xy = np.array([[0.0, 0.0], [1.0, 1.0]])
    marks = maps.Marks(np.array([[2.0, 0.5]]), np.zeros((1, 1, 8, 8), np.uint8), [3], dashed=(0,))
    drawing = maps.MapDrawing(xy=xy, colour=maps.Values("x", xy[:, 0]), title="", caption="", marks=marks)
    payload = maps.map_payload(drawing)
    assert payload["extent"] == [2, 1], "the map reaches to its marks"
    assert unpacked(payload["marks"]["xy"], "<u2").tolist() == [65535, round(0.5 * 65535)]
    assert payload["marks"]["codes"] == [3] and payload["marks"]["strong"] == [[0, True]]
    assert payload["marks"]["sprite"]["tile"] == [8, 8]
    assert maps.map_payload(replace(drawing, marks=None))["marks"] is None


def test_values_without_a_number_are_grey() -> None:
    payload = maps.map_payload(
        maps.MapDrawing(
            xy=np.zeros((3, 2)),
            colour=maps.Values("ε*", np.array([0.1, np.nan, 0.3]), missing="> 0.3"),
            title="t",
            caption="c",
        )
    )
    assert unpacked(payload["colour"]["codes"], "u1").tolist() == [0, 255, 254]
    assert (payload["colour"]["low"], payload["colour"]["high"]) == ("0.1", "0.3")


def test_a_map_of_nothing_but_one_value_and_one_place() -> None:
    payload = maps.map_payload(
        maps.MapDrawing(
            xy=np.ones((4, 2)), colour=maps.Values("margin", np.full(4, np.nan)), title="t", caption="c"
        )
    )
    assert unpacked(payload["colour"]["codes"], "u1").tolist() == [255] * 4
    json.dumps({name: value for name, value in payload.items() if name != "_ids"}, allow_nan=False)


def test_a_thumbnail_is_found_by_its_sample_and_never_by_its_place() -> None:
    sheet = gallery.sprite_sheet(np.zeros((3, 8, 8)), [30, 10, 20])
    payload = maps.map_payload(
        maps.MapDrawing(
            xy=np.zeros((4, 2)),
            colour=maps.Classes("c", np.zeros(4, int), ["a"]),
            title="t",
            caption="c",
            ids=np.array([10, 20, 30, 40]),
            sprite=sheet,
        )
    )
    assert unpacked(payload["sprite"]["places"], "<i4").tolist() == [1, 2, 0, -1]


def test_the_legend_is_also_a_table() -> None:
    colour = maps.Classes("cluster", np.array([0, 0, 1, 2]), ["a", "b", "c"])
    table = maps.legend_table(colour, ids=np.array([5, 6, 7, 8]), selected=np.array([6, 8]))
    assert table.to_dict("list") == {"cluster": ["a", "b", "c"], "samples": [2, 1, 1], "selected": [1, 0, 1]}


def test_a_wipe_carries_both_pictures() -> None:
    payload = wipe_payload(
        np.zeros((1, 4, 6)), np.ones((3, 4, 6)), before_name="a", after_name="b", title="t", caption="c"
    )
    assert payload["size"] == [6, 4]
    assert payload["before"]["src"] != payload["after"]["src"]


def payloads() -> dict[str, Mapping[str, Any]]:
    places, moved, codes = samples.many_points(50)
    return {
        "ladder": ladders.ladder_payload(samples.ladder_drawing(9)),
        "map": maps.map_payload(
            maps.MapDrawing(
                xy=places,
                colour=maps.Classes("cluster", codes, list("0123456789")),
                title="t",
                caption="c",
                xy_attacked=moved,
            )
        ),
        "wipe": wipe_payload(
            np.zeros((8, 8)),
            np.ones((8, 8)),
            before_name="a",
            after_name="</script><b>",
            title="t",
            caption="c",
        ),
    }


@pytest.mark.parametrize("name", ["ladder", "map", "wipe"])
def test_one_file_holds_all_and_reaches_for_nothing(name: str) -> None:
    page = standalone_html(name, payloads()[name], "A <title>", "note & </script>")
    stored = re.search(r'id="payload">(.*?)</script>', page, re.S)
    assert stored is not None
    assert json.loads(stored[1]) == json.loads(
        json.dumps({key: value for key, value in payloads()[name].items() if not key.startswith("_")})
    )
    outside = re.findall(r"https?://[^\s\"'<)]+", page)
    assert set(outside) <= {"http://www.w3.org/2000/svg"}
    assert page.count("</script>") == 2
    assert "<title>A &lt;title&gt;</title>" in page


@pytest.mark.parametrize("name", list(components.CLASSES))
def test_a_component_has_its_class_and_never_sets_html(name: str) -> None:
    script = components.script(name)
    assert f"class {components.CLASSES[name]} " in script
    assert not re.search(
        r"innerHTML|insertAdjacentHTML|document\.write|\beval\(|new"
        r" Function|\bimport\b|\bfetch\(|XMLHttpRequest",
        script,
    )


def test_the_palette_is_that_of_the_theme() -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    for name, colours in (("light", palette.LIGHT), ("dark", palette.DARK)):
        assert tuple(theme[name]["chartCategoricalColors"]) == colours[:10]
        page = standalone_html("wipe", {}, "t", "n")
        for setting in (
            "primaryColor",
            "backgroundColor",
            "secondaryBackgroundColor",
            "textColor",
            "borderColor",
        ):
            assert theme[name][setting] in page


def test_what_runs_in_the_browser_says_its_words_in_a_language() -> None:
    german = components.words("ladder", "de")
    assert german["Play"] == "Abspielen" and "“{group}”" in german
    assert components.words("map", "de")["{count} sample"] == ["{count} Probe", "{count} Proben"]
    assert '"Abspielen"' in components.script("ladder", "de") and "let SAID = {};" in components.script(
        "ladder"
    )


def test_javascript_marks_whole_texts() -> None:
    code = "".join(
        components.script(name).split(components.FOLDER.joinpath("common.js").read_text("utf-8"))[1]
        for name in components.CLASSES
    )
    assert len(list(components.marked(code))) > 100
    assert not re.findall(r"\b(?:_|N_|n_)\((?!\"|text\)|title\)).{40}", code), "no text is made of parts"
