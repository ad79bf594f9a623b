# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-out as a product, given on request alone, and what an artist says of it: by strokes, or by a mask."""

import numpy as np
import pytest

from backend.engines import DRAFT, ENGINES
from backend.errors import UserError
from backend.flow.pipeline import Outcome, Pipeline
from backend.flow.products import Cutout, Picture
from backend.flow.request import Request
from backend.foreground.mask import mask_of
from tests.backend.flow.counted import Counted
from tests.backend.vase import SMALL, Notes, run_one

LEFT, RIGHT = (slice(40, 80), slice(20, 55)), (slice(40, 80), slice(105, 140))


def two_boxes() -> Picture:
    """A red and a blue box before plain grey."""
    picture = np.full((120, 160, 4), (150, 150, 150, 255), np.uint8)
    picture[LEFT] = (200, 40, 30, 255)
    picture[RIGHT] = (30, 60, 200, 255)
    return picture


def stroke(place: tuple[slice, slice], value: int) -> Picture:
    """A stroke through the middle of a box."""
    rows, columns = place
    strokes = np.zeros((120, 160, 4), np.uint8)
    middle = (rows.start + rows.stop) // 2
    strokes[middle - 3 : middle + 3, columns.start + 4 : columns.stop - 4] = (value, value, value, 255)
    return strokes


def mask(**inputs: Picture) -> Picture:
    (outcome,) = Pipeline(ENGINES).run(asked(**inputs), Notes(), gives=["cutout"])
    return mask_of(cutout_of(outcome))


def asked(**inputs: Picture) -> Request:
    return Request({"picture": two_boxes(), **inputs}, settings=SMALL)


def cutout_of(outcome: Outcome) -> Cutout:
    cutout = outcome.products["cutout"]
    assert isinstance(cutout, Cutout)
    return cutout


def has(mask: Picture, place: tuple[slice, slice]) -> bool:
    share = (mask[place] > 127).mean()
    assert share < 0.1 or share > 0.9
    return bool(share > 0.5)


def test_the_cutout_is_given_on_request_alone_and_a_stroke_costs_one_stage(counted: Counted) -> None:
    assert "cutout" not in run_one(counted.pipeline, asked(), Notes()).products
    list(counted.pipeline.run(asked(strokes=stroke(RIGHT, 0)), Notes(), gives=["cutout"]))
    counted.forget()
    (outcome,) = counted.pipeline.run(asked(strokes=stroke(LEFT, 0)), Notes(), gives=["cutout"])
    assert [*outcome.products] == ["cutout"]
    assert counted.ran == ["marked"]


def test_a_product_that_an_engine_does_not_offer_is_refused_with_those_that_it_does() -> None:
    with pytest.raises(UserError, match="does not give “song”") as caught:
        list(Pipeline(ENGINES).run(asked(), Notes(), gives=["song"]))
    assert "cutout" in caught.value.advice


def test_strokes_drop_and_keep() -> None:
    both = mask()
    assert has(both, LEFT)
    assert has(both, RIGHT)
    dropped = mask(strokes=stroke(RIGHT, 0))
    assert has(dropped, LEFT)
    assert not has(dropped, RIGHT)


def test_a_mask_says_what_the_object_is_and_strokes_correct_it() -> None:
    own = np.zeros((60, 80, 4), np.uint8)
    own[..., 3] = 255
    own[20:40, 10:27] = 255
    alone = mask(own_cutout=own)
    assert has(alone, LEFT)
    assert not has(alone, RIGHT)
    more = mask(own_cutout=own, strokes=stroke(RIGHT, 255))
    assert has(more, LEFT)
    assert has(more, RIGHT)


def test_a_mesh_is_made_of_what_the_mask_keeps_and_the_recipe_says_so() -> None:
    own = np.zeros((120, 160, 4), np.uint8)
    own[..., 3] = 255
    own[RIGHT] = 255
    outcome = run_one(Pipeline(ENGINES), asked(own_cutout=own), Notes())
    uv = outcome.products["mesh"].uv
    assert uv[:, 0].min() > 100 / 160, "nothing of the left box"
    assert {"picture", "own_cutout"} == set(outcome.recipe["inputs"])


def test_every_engine_of_objects_offers_it() -> None:
    for engine in ENGINES.values():
        if "panorama" in engine.gives:
            continue  # it wants the background
        assert engine.on_request["cutout"] is Cutout
        assert [*engine.on_request] == ["cutout"] or "mesh" not in engine.gives
        assert {"own_cutout", "strokes"} <= {*engine.inputs}
    assert "cutout" not in DRAFT.gives
